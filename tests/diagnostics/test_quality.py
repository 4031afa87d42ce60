"""Every kind of damage is found and named; clean speech raises no alarm."""

from __future__ import annotations

import numpy as np
import pytest

from glmtts_core.catalogue import LANGUAGES
from glmtts_core.diagnostics.quality import (
    MEMORY_SYMPTOMS,
    Fault,
    Verdict,
    assess,
)
from glmtts_core.diagnostics.sound_measures import measure_sound
from glmtts_core.diagnostics.symptoms import Symptom
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.kokoro.engine import KokoroEngine
from glmtts_core.memory.ledger import Ledger
from glmtts_core.speech import SynthesisRequest
from tests.diagnostics.sounds import DAMAGES, RATE_HZ, sped_up, speech
from tests.scripted_engine import LoadOnly

#: Together half a minute of speech: both languages, a number, one and two sentences.
CLEAN_TEXTS = (
    "你好，世界。",
    "请打开窗户。明天见。",
    "今天气温25℃。",
    "Good morning, everyone.",
)
#: Voices that speak them: natives of both languages, and one of neither.
SPEAKERS = ("zf_xiaobei", "zm_yunjian", "bf_emma", "am_michael", "jm_kumo")


def symptoms(samples, *, first=None, rate_hz=RATE_HZ) -> set[Symptom]:
    report = assess(samples, rate_hz, first=first)
    return {finding.symptom for finding in report.findings}


def test_every_symptom_has_a_damaged_example():
    assert DAMAGES.keys() == set(Symptom)


@pytest.mark.parametrize("symptom", Symptom)
def test_damage_is_found_and_named(symptom):
    clean = speech()
    damaged = DAMAGES[symptom](clean, RATE_HZ)
    assert symptom in symptoms(damaged, first=measure_sound(clean, RATE_HZ))


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 32_000])
@pytest.mark.parametrize("pitch_hz", [90.0, 180.0, 300.0])
def test_clean_speech_raises_no_alarm(rate_hz, pitch_hz):
    clean = speech(pitch_hz=pitch_hz, rate_hz=rate_hz)
    report = assess(clean, rate_hz, first=measure_sound(clean, rate_hz))
    assert (report.verdict, report.findings) == (Verdict.SOUND, ())


def test_two_channels_are_judged_as_one():
    clean = speech()
    assert symptoms(np.stack([clean, clean], axis=1)) == set()


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(10, np.float32)])
def test_hardly_any_sound_is_silence(samples):
    assert symptoms(samples) == {Symptom.SILENCE}


def test_a_pause_between_two_sentences_is_no_gap():
    pause = np.zeros(RATE_HZ // 2, np.float32)
    fade = np.linspace(0, 1, RATE_HZ // 100, dtype=np.float32)
    sentence = speech(2.1)
    sentence[: len(fade)] *= fade
    sentence[-len(fade) :] *= fade[::-1]
    assert symptoms(np.concatenate([sentence, pause, sentence])) == set()


def test_random_weights_have_no_quality():
    noise = np.random.default_rng(1).standard_normal(RATE_HZ).astype(np.float32)
    report = assess(noise, RATE_HZ, meaningful=False)
    assert (report.verdict, report.findings) == (Verdict.NOT_MEANINGFUL, ())


@pytest.mark.parametrize("pitch_hz", [90.0, 180.0, 300.0])
def test_the_pitch_of_a_known_voice_is_found(pitch_hz):
    found_hz = measure_sound(speech(pitch_hz=pitch_hz), RATE_HZ).pitch_median_hz
    assert found_hz == pytest.approx(pitch_hz, rel=0.12)  # the voice itself moves by a tenth


def test_without_pitch_the_drift_of_pitch_is_left_out():
    clean = speech()
    report = assess(
        sped_up(clean, RATE_HZ), RATE_HZ, first=measure_sound(clean, RATE_HZ), pitch=False
    )
    assert {each.symptom for each in report.findings} == {Symptom.DURATION_DRIFT}


def test_every_gap_in_speech_is_counted():
    torn = speech()
    for start in (12_000, 20_000):
        torn[start : start + 960] = 0.0
    assert measure_sound(torn, RATE_HZ).gaps == 2


@pytest.mark.parametrize("symptom", Symptom)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_has_a_sentence(symptom, language):
    assert Fault(symptom, 12.3456, 5.0).message.text(language)


def test_silence_and_breaking_speech_point_to_memory_and_a_shifted_sound_does_not():
    clean = speech()
    for symptom, damage in DAMAGES.items():
        report = assess(damage(clean, RATE_HZ), RATE_HZ, pitch=False)
        told = {finding.symptom for finding in report.memory_symptoms}
        assert told <= MEMORY_SYMPTOMS
        assert (symptom in told) == (symptom in MEMORY_SYMPTOMS)


# -- the real voice ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spoken(kokoro: KokoroEngine) -> dict[tuple[str, str], np.ndarray]:
    """The clean texts in every one of these voices."""
    caches = SessionCaches("session", Ledger())
    return {
        (text, voice): kokoro.synthesize(
            SynthesisRequest(text=text, voice=voice), caches, LoadOnly()
        ).samples
        for text in CLEAN_TEXTS
        for voice in SPEAKERS
    }


@pytest.mark.voice
@pytest.mark.timeout(600)  # whichever comes first speaks all twenty
def test_twenty_syntheses_of_the_real_voice_raise_no_alarm(spoken):
    assert len(spoken) == 20
    alarms = {
        key: symptoms(samples, first=measure_sound(samples, RATE_HZ))
        for key, samples in spoken.items()
    }
    assert {key: found for key, found in alarms.items() if found} == {}


@pytest.mark.voice
@pytest.mark.timeout(600)
@pytest.mark.parametrize("symptom", Symptom)
def test_damage_to_the_real_voice_is_found(spoken, symptom):
    for text in CLEAN_TEXTS[1:]:
        clean = spoken[text, SPEAKERS[0]]
        damaged = DAMAGES[symptom](clean, RATE_HZ)
        assert symptom in symptoms(damaged, first=measure_sound(clean, RATE_HZ))
