"""Sounds whose state is known: something like speech, and every kind of damage done to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import signal

from glmtts_core.audio import Samples
from glmtts_core.diagnostics.symptoms import Symptom

RATE_HZ = 24_000

Damage = Callable[[Samples, int], Samples]


def speech(seconds: float = 3.0, pitch_hz: float = 180.0, rate_hz: int = RATE_HZ) -> Samples:
    """Return syllables of a buzzing voice and of hiss, with soft edges and short pauses."""
    rng = np.random.default_rng(5)
    times_s = np.arange(int(seconds * rate_hz)) / rate_hz
    # ten per cent of melody, as a phrase has
    phase = np.cumsum(pitch_hz * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * times_s)) / rate_hz)
    voice = sum(np.sin(2 * np.pi * phase * k) / k for k in range(1, int(7000 / pitch_hz)))
    hiss = signal.lfilter([1, -0.9], [1], rng.standard_normal(len(times_s)))
    syllable = np.clip(np.sin(2 * np.pi * 2.5 * times_s), 0, None) ** 0.5
    consonant = np.clip(np.sin(2 * np.pi * 2.5 * times_s - 1.9), 0, None) ** 2
    mixed = 0.1 * voice * syllable + 0.03 * hiss * consonant
    return mixed.astype(np.float32)


def silenced(samples: Samples, rate_hz: int) -> Samples:
    return np.zeros_like(samples)


def half_silenced(samples: Samples, rate_hz: int) -> Samples:
    damaged = samples.copy()
    damaged[len(samples) // 2 :] = 0.0
    return damaged


def quietened(samples: Samples, rate_hz: int) -> Samples:
    return (samples * 10 ** (-35 / 20)).astype(np.float32)


def halved_level(samples: Samples, rate_hz: int) -> Samples:
    return (samples * 10 ** (-14 / 20)).astype(np.float32)


def clipped(samples: Samples, rate_hz: int) -> Samples:
    return np.clip(samples / np.abs(samples).max() * 4.0, -1.0, 1.0)


def shifted(samples: Samples, rate_hz: int) -> Samples:
    return np.clip(samples + np.float32(0.05), -1.0, 1.0)


def torn(samples: Samples, rate_hz: int) -> Samples:
    """Cut 40 ms out of the three loudest places, as a lost buffer does."""
    damaged = samples.copy()
    size = round(0.04 * rate_hz)
    loudness = np.convolve(np.square(samples), np.ones(2 * size), "same")
    for _ in range(3):
        centre = int(loudness.argmax())
        damaged[max(0, centre - size // 2) : centre + size // 2] = 0.0
        loudness[max(0, centre - 10 * size) : centre + 10 * size] = 0.0
    return damaged


def muffled(samples: Samples, rate_hz: int) -> Samples:
    """Keep the telephone's band only: ITU-T G.712 ends it at 3.4 kHz."""
    lowpass = signal.butter(10, 3400, fs=rate_hz, output="sos")
    return signal.sosfiltfilt(lowpass, samples).astype(np.float32)


def sped_up(samples: Samples, rate_hz: int) -> Samples:
    """Play faster and higher by a third, as at a wrong sample rate (32 kHz for 24 kHz)."""
    return signal.resample_poly(samples, 3, 4).astype(np.float32)


def not_finite(samples: Samples, rate_hz: int) -> Samples:
    damaged = samples.copy()
    damaged[len(samples) // 2] = np.nan
    return damaged


DAMAGES: dict[Symptom, Damage] = {
    Symptom.NOT_FINITE: not_finite,
    Symptom.SILENCE: silenced,
    Symptom.HALF_SILENT: half_silenced,
    Symptom.TOO_QUIET: quietened,
    Symptom.LEVEL_DRIFT: halved_level,
    Symptom.CLIPPING: clipped,
    Symptom.DC_OFFSET: shifted,
    Symptom.DROPOUT: torn,
    Symptom.HIGH_FREQUENCY_LOSS: muffled,
    Symptom.PITCH_DRIFT: sped_up,
    Symptom.DURATION_DRIFT: sped_up,
}
