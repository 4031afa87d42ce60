"""The median pitch of a voice, by normalised cross-correlation as torchaudio measures it."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from glmtts_core.audio import Samples, resample
from glmtts_core.diagnostics.levels import active_frames, decibels, mean_level

_RATE_HZ: Final = 16_000
#: Pitch is looked for between the medians of deep and of high speaking voices. Lower limits make
#: the method take 300 Hz for 150: it prefers the shorter period only in the first half of its lags.
_RANGE_HZ: Final = (85, 500)
#: Three periods of a deep voice, and formants removed: both keep the method in the right octave.
_FRAME: Final = round(0.03 * _RATE_HZ)
_LOWPASS_HZ: Final = 800.0
_LOWPASS_Q: Final = 0.707
#: Passes of the low-pass, each of 12 dB an octave.
_PASSES: Final = 2
#: Samples after which the low-pass has forgotten: 1e-12 is left of an impulse after 300.
_FORGOTTEN: Final = 1024
#: Shortest and longest period, in samples.
_SHORTEST: Final = math.ceil(_RATE_HZ / _RANGE_HZ[1]) + 1
_LONGEST: Final = math.ceil(_RATE_HZ / _RANGE_HZ[0])
#: A period of the first half of all is taken if it is nearly as good as the best.
_NEARLY: Final = 0.99
#: Keeps silence from dividing by 0.
_TINY: Final = 1e-9
#: Frames in the smoothing median.
_SMOOTHING: Final = 3
#: Frames that are looked at together, a minute: what they take does not grow with the length.
_BLOCK_FRAMES: Final = 2000
#: Only frames at most this far below the active level count: vowels.
_LEVEL_DB: Final = -6.0
#: With fewer frames (a quarter of a second) a median means nothing.
_MIN_FRAMES: Final = 8

_Floats = npt.NDArray[np.float64]


def pitch_hz(mono: Samples, sample_rate_hz: int) -> float | None:
    """Return the median pitch of the loud frames; None with too few of them.

    Args:
        mono: float32, shape (frames,).
        sample_rate_hz: their rate.
    """
    voice = resample(mono, sample_rate_hz, _RATE_HZ)
    if len(voice) < _MIN_FRAMES * _FRAME:
        return None
    pitches = _RATE_HZ / _smoothed(_periods(voice))
    # the median smoothing swallows the last frame
    count = min(len(voice) // _FRAME, len(pitches))
    frames = voice[: count * _FRAME].reshape(count, _FRAME)
    levels = decibels(np.mean(np.square(frames, dtype=np.float64), axis=1))
    vowels = pitches[:count][levels >= mean_level(levels[active_frames(levels)]) + _LEVEL_DB]
    return float(np.median(vowels)) if len(vowels) >= _MIN_FRAMES else None


def _periods(voice: Samples) -> npt.NDArray[np.intp]:
    """Return the likeliest period of each frame, in samples; the last frame may be cut short."""
    count = math.ceil(len(voice) / _FRAME)
    behind = count * _FRAME + _LONGEST - len(voice)
    padded = np.pad(voice, (_FORGOTTEN, behind))
    found = []
    for first in range(0, count, _BLOCK_FRAMES):
        frames = min(_BLOCK_FRAMES, count - first)
        start = first * _FRAME
        block = padded[start : start + _FORGOTTEN + frames * _FRAME + _LONGEST]
        found.append(_likeliest(_correlations(_low_passed(block)[_FORGOTTEN:], frames)))
    return np.concatenate(found)


def _low_passed(block: Samples) -> _Floats:
    """Return the block without what is above the voice's lower harmonics.

    The filter is the second-order low-pass of the Audio EQ Cookbook, applied as its frequency
    response; silence behind the block holds what rings on.
    """
    size = 1 << (len(block) + _FORGOTTEN).bit_length()
    delay: Any = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    omega = 2 * np.pi * _LOWPASS_HZ / _RATE_HZ
    alpha = math.sin(omega) / (2 * _LOWPASS_Q)
    passed = (1 - math.cos(omega)) / 2 * (1 + delay) ** 2
    response = passed / (1 + alpha - 2 * math.cos(omega) * delay + (1 - alpha) * delay**2)
    filtered = np.fft.irfft(np.fft.rfft(block, size) * response**_PASSES, size)
    return filtered[: len(block)]


def _correlations(wave: _Floats, frames: int) -> _Floats:
    """Return how alike each frame and what follows it are, shape (frames, lags from 1 on)."""
    windows = np.lib.stride_tricks.sliding_window_view(wave, _FRAME + _LONGEST)[::_FRAME][:frames]
    size = 1 << (_FRAME + _LONGEST).bit_length()
    spectra = np.conj(np.fft.rfft(windows[:, :_FRAME], size)) * np.fft.rfft(windows, size)
    products = np.fft.irfft(spectra, size)[:, : _LONGEST + 1]
    sums = np.cumsum(np.pad(np.square(windows), ((0, 0), (1, 0))), axis=1)
    energies = np.maximum(0.0, sums[:, _FRAME:] - sums[:, : _LONGEST + 1])
    norms = np.square(_TINY + np.sqrt(energies))
    # by the product of the energies and not by its root, as torchaudio does
    found: _Floats = products[:, 1:] / norms[:, :1] / norms[:, 1:]
    return found


def _likeliest(correlations: _Floats) -> npt.NDArray[np.intp]:
    rows = np.arange(len(correlations))
    half = correlations.shape[1] // 2
    best = np.argmax(correlations[:, _SHORTEST - 1 :], axis=1) + _SHORTEST
    short = np.argmax(correlations[:, _SHORTEST - 1 : half], axis=1) + _SHORTEST
    nearly = correlations[rows, short - 1] > _NEARLY * correlations[rows, best - 1]
    found: npt.NDArray[np.intp] = np.where(nearly, short, best)
    return found


def _smoothed(periods: npt.NDArray[np.intp]) -> _Floats:
    padded = np.concatenate([periods[: _SMOOTHING // 2], periods])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SMOOTHING)
    smoothed: _Floats = np.median(windows, axis=1)
    return smoothed
