"""What is asked for and what comes of it: sessions, a request, a recording, a result to store."""

from __future__ import annotations

import numpy as np

from glmtts_core.audio import encode_wav
from glmtts_core.engines.base import SpokenAudio, Stage, StageTime, SynthesisResult
from glmtts_core.memory.cost import MemoryCost
from glmtts_core.memory.points import MemoryPoint
from glmtts_core.speech import SynthesisRequest

ANNA = "a" * 32
BERT = "b" * 32
CLARA = "c" * 32


def request(text: str = "hello", **more) -> SynthesisRequest:
    """Return what the scripted engine speaks."""
    return SynthesisRequest(**{"text": text, "voice": "alpha", **more})


def result(seconds: float = 0.5, audio_s: float = 1.0) -> SynthesisResult:
    """Return a result with a quiet tone and a cost."""
    times_s = np.arange(int(24_000 * audio_s)) / 24_000
    samples = (0.1 * np.sin(2 * np.pi * 220 * times_s)).astype(np.float32)
    audio = SpokenAudio(samples, 24_000, (StageTime(Stage.WAVEFORM, seconds),))
    return SynthesisResult(audio, seconds, MemoryCost("cpu", point(300), point(420), point(310)))


def voice_wav(seconds: float = 4.0, level: float = 0.1, rate_hz: int = 8_000) -> bytes:
    """Return a recording that can be cloned: a tone with pauses; ``level`` 1 clips it."""
    times_s = np.arange(int(rate_hz * seconds)) / rate_hz
    tone = np.sin(2 * np.pi * 220 * times_s) * (times_s % 1.0 < 0.6)
    # 20 times full scale is a square wave
    samples = np.clip(tone * (20.0 if level >= 1.0 else level), -1.0, 1.0)
    return encode_wav(samples.astype(np.float32), rate_hz)


def point(resident_mib: int) -> MemoryPoint:
    """Return the figures of one moment on a machine without a GPU."""
    return MemoryPoint(resident_mib * 2**20, None, None, None, None, 80 * 2**20, 2**20)
