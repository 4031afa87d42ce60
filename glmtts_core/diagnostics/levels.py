"""Levels of a sound over time, in dB relative to full scale (RMS), and which frames hold speech."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from glmtts_core.audio import Samples

#: Frames of the level curve: long enough for one period of the deepest voice.
FRAME_S: Final = 0.02
HOP_S: Final = 0.01
#: The lowest level that is returned, in dB below full scale: the last bit of 16-bit audio.
FLOOR_DBFS: Final = -96.0
#: Speech played at a usual volume is no longer heard below this level.
INAUDIBLE_DBFS: Final = -60.0
#: A frame holds speech if it is audible and at most this far below the loudest frame.
_ACTIVE_RANGE_DB: Final = 40.0


def level_curve(mono: Samples, sample_rate_hz: int) -> npt.NDArray[np.float64]:
    """Return the RMS level of each 20 ms frame every 10 ms in dBFS, shape (frames,)."""
    size, hop = round(FRAME_S * sample_rate_hz), round(HOP_S * sample_rate_hz)
    if len(mono) < size:
        mono = np.pad(mono, (0, size - len(mono))) if len(mono) else mono
    if not len(mono):
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[::hop]
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / size
    return decibels(power)


def decibels(power: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return mean squares as dBFS, at least `FLOOR_DBFS`."""
    levels: npt.NDArray[np.float64] = 10.0 * np.log10(
        np.maximum(power, 10.0 ** (FLOOR_DBFS / 10.0))
    )
    return levels


def active_frames(levels: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return which frames of a level curve hold speech, shape (frames,)."""
    loudest = levels.max(initial=FLOOR_DBFS)
    active: npt.NDArray[np.bool_] = levels >= max(INAUDIBLE_DBFS, loudest - _ACTIVE_RANGE_DB)
    return active


def mean_level(levels: npt.NDArray[np.float64]) -> float:
    """Return the level of the frames' mean power; `FLOOR_DBFS` without frames."""
    if not len(levels):
        return FLOOR_DBFS
    return float(10.0 * np.log10(np.mean(10.0 ** (levels / 10.0))))
