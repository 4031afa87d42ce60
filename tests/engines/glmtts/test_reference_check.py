"""A recording that cannot serve is refused, one that could be better gets a hint."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glmtts_core.engines.glmtts.reference_check import (
    check_reference,
    recording_hints,
    reference_hints,
)
from glmtts_core.errors import AudioError
from glmtts_core.speech import ReferenceAudio
from tests.engines.glmtts.tiny_engine import recording


def hints(reference: ReferenceAudio) -> list[str]:
    return [each.key for each in reference_hints(reference)]


def changed(reference: ReferenceAudio, change) -> ReferenceAudio:
    return replace(reference, samples=change(reference.samples).astype(np.float32))


@pytest.mark.parametrize("seconds", [3.0, 10.0, 30.0])
@pytest.mark.parametrize("rate_hz", [8_000, 44_100])
def test_usual_recordings_pass_without_a_hint(seconds, rate_hz):
    reference = recording(seconds, rate_hz)
    check_reference(reference)
    assert hints(reference) == []


def test_stereo_passes():
    check_reference(changed(recording(), lambda samples: np.stack([samples, samples], axis=1)))


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        (recording(2.9), "voice.too_short"),
        (recording(30.2), "voice.too_long"),
        (changed(recording(), lambda samples: samples * 0), "voice.silent"),
        (changed(recording(), lambda samples: samples * 0.005), "voice.silent"),
    ],
    ids=["short", "long", "zeros", "whisper of noise"],
)
def test_useless_recordings_are_refused_in_one_sentence(reference, key):
    with pytest.raises(AudioError) as error:
        check_reference(reference)
    assert error.value.message.key == key
    for language in ("en", "zh"):
        assert reference.name in error.value.text(language)


def test_a_quiet_recording_with_one_loud_word_is_not_silent():
    def one_word(samples):
        samples = samples * 0.001
        samples[16_000:20_000] *= 500
        return samples

    check_reference(changed(recording(), one_word))


def test_clipping_gives_a_hint():
    assert hints(changed(recording(), lambda samples: np.clip(20 * samples, -1, 1))) == [
        "voice.clipped"
    ]


def test_a_few_full_scale_peaks_are_no_clipping():
    def peaks(samples):
        samples[::1000] = 1.0
        return samples

    assert "voice.clipped" not in hints(changed(recording(), peaks))


def test_noise_that_fills_the_pauses_gives_a_hint():
    noise = np.random.default_rng(1).standard_normal(len(recording().samples)) * 0.05
    assert hints(changed(recording(), lambda samples: samples + noise)) == ["voice.noisy"]


def test_a_missing_text_gives_a_hint():
    assert hints(recording(transcript=" ")) == ["voice.no_transcript"]


def test_the_sound_alone_tells_nothing_of_the_text():
    assert recording_hints(recording(transcript=" ")) == ()
