"""The pitch is the one that torchaudio finds."""

from __future__ import annotations

import time

import numpy as np
import pytest

from glmtts_core.audio import Samples, resample
from glmtts_core.diagnostics import pitch
from glmtts_core.diagnostics.pitch import pitch_hz
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.memory.ledger import Ledger
from glmtts_core.speech import SynthesisRequest
from tests.diagnostics.sounds import RATE_HZ, speech
from tests.scripted_engine import LoadOnly


def of_torchaudio(voice: Samples) -> np.ndarray:
    """Return the pitch of each frame of a voice at 16 kHz."""
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchaudio.functional")
    wave = torch.from_numpy(np.ascontiguousarray(voice))
    for _ in range(2):
        wave = functional.lowpass_biquad(wave, 16_000, 800.0)
    return functional.detect_pitch_frequency(
        wave[None], 16_000, frame_time=0.03, win_length=3, freq_low=85, freq_high=500
    )[0].numpy()


def assert_like_torchaudio(samples: Samples, rate_hz: int) -> None:
    voice = resample(samples, rate_hz, 16_000)
    expected = of_torchaudio(voice)
    # one frame fewer, and every frame whose period is known for certain: of silence it is not
    levels = np.sqrt(np.mean(np.square(voice[: len(expected) * 480].reshape(-1, 480)), axis=1))
    loud = levels > 0.3 * levels.max()
    found = 16_000 / pitch._smoothed(pitch._periods(voice))
    assert len(found) == len(expected)
    # torchaudio computes in float32, so that of two equally good periods it may take the other
    alike = np.isclose(found, expected, rtol=1e-3)[: len(levels)]
    assert np.mean(alike[loud]) > 0.97
    assert pitch_hz(samples, rate_hz) == pytest.approx(np.median(expected[loud]), rel=0.05)


@pytest.mark.parametrize("hz", [90.0, 120.0, 180.0, 300.0])
def test_the_pitch_of_made_speech_is_that_of_torchaudio(hz):
    assert_like_torchaudio(speech(6.0, hz), RATE_HZ)


@pytest.mark.voice
@pytest.mark.parametrize("voice", ["zf_xiaobei", "zm_yunxi"])
def test_the_pitch_of_a_voice_is_that_of_torchaudio(kokoro, voice):
    spoken = kokoro.synthesize(
        SynthesisRequest(text="今天天气很好，我们去公园散步吧。", voice=voice),
        SessionCaches("a" * 32, Ledger()),
        LoadOnly(),
    )
    assert_like_torchaudio(spoken.samples, spoken.sample_rate_hz)


def test_the_pitch_of_a_long_sound_is_looked_for_in_parts(monkeypatch):
    voice = resample(speech(6.0), RATE_HZ, 16_000)
    whole = pitch_hz(voice, 16_000)
    monkeypatch.setattr(pitch, "_BLOCK_FRAMES", 30)
    assert pitch_hz(voice, 16_000) == whole


@pytest.mark.parametrize("frames", [0, 1, 500, 3_000])
def test_a_sound_below_a_quarter_of_a_second_has_no_pitch(frames):
    assert pitch_hz(np.ones(frames, np.float32), 16_000) is None


@pytest.mark.serial
def test_a_minute_takes_less_than_a_second():
    minute = np.tile(speech(6.0), 10)
    start_s = time.thread_time()
    pitch_hz(minute, RATE_HZ)
    assert time.thread_time() - start_s < 1.0
