"""Measures one spoken result: levels, silence, gaps, spectrum and pitch.

Knows nothing about what is good or bad; `quality` judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from glmtts_core.audio import Samples, to_mono
from glmtts_core.diagnostics.levels import (
    FRAME_S,
    HOP_S,
    active_frames,
    level_curve,
    mean_level,
)
from glmtts_core.diagnostics.pitch import pitch_hz

#: A sample at or beyond this is at the end of the scale (16-bit files end at 0.99997).
_FULL_SCALE: Final = 0.999
#: One or two samples at full scale are peaks; from three on, the wave has a flat top.
_FLAT_TOP_SAMPLES: Final = 3
#: A gap is made of samples below -72 dBFS ...
_GAP_PEAK: Final = 2.0**-12
#: ... lasts at least this long (two gaps of one millisecond between glottal pulses are speech) ...
_GAP_S: Final = 0.01
#: ... and has speech at full strength right at both edges, so close that no voice can stop like it.
_GAP_EDGE_S: Final = 0.004
_GAP_EDGE_DB: Final = -20.0
#: The bands whose energies are compared: telephone speech ends where the upper one begins.
_LOW_BAND_HZ: Final = (300.0, 4000.0)
_HIGH_BAND_HZ: Final = (4000.0, 8000.0)
_SPECTRUM_S: Final = 0.032
#: Spectra that are averaged at most, spread over the whole length.
_MAX_SPECTRA: Final = 1000


@dataclass(frozen=True, slots=True)
class SoundMeasures:
    """The figures of one sound; levels in dB relative to full scale (RMS).

    Attributes:
        duration_s: length.
        finite: whether every sample is a number; if not, the other figures count them as silence.
        active_level_dbfs: level of the frames with speech; `FLOOR_DBFS` where there are none.
        leading_silence_s: before the first frame with speech; all of it where there is none.
        trailing_silence_s: after the last frame with speech.
        silent_fraction: share of the frames without speech.
        clipped_fraction: share of the samples in flat tops at full scale.
        dc_offset: mean of all samples, full scale is 1.
        gaps: how often speech stops and goes on within milliseconds.
        high_band_db: energy of 4-8 kHz over that of 0.3-4 kHz; None below 16 kHz sample rate and
            without speech.
        pitch_median_hz: median of the fundamental frequency of vowels; None if there are too few
            or it was not measured.
    """

    duration_s: float
    finite: bool
    active_level_dbfs: float
    leading_silence_s: float
    trailing_silence_s: float
    silent_fraction: float
    clipped_fraction: float
    dc_offset: float
    gaps: int
    high_band_db: float | None
    pitch_median_hz: float | None


def measure_sound(samples: Samples, sample_rate_hz: int, *, pitch: bool = True) -> SoundMeasures:
    """Measure one result.

    Args:
        samples: float32, shape (frames,) or (frames, channels), full scale ±1.
        sample_rate_hz: their rate.
        pitch: measure the pitch too; that imports PyTorch, everything else needs only numpy.
    """
    finite = bool(np.isfinite(samples).all())
    mono = to_mono(samples if finite else np.nan_to_num(samples, posinf=0.0, neginf=0.0))
    levels = level_curve(mono, sample_rate_hz)
    active = active_frames(levels)
    level = mean_level(levels[active])
    leading_s, trailing_s = _silence_around(active, len(mono) / sample_rate_hz)
    return SoundMeasures(
        duration_s=len(mono) / sample_rate_hz,
        finite=finite,
        active_level_dbfs=level,
        leading_silence_s=leading_s,
        trailing_silence_s=trailing_s,
        silent_fraction=1.0 - float(active.mean()) if len(active) else 1.0,
        clipped_fraction=_clipped_fraction(mono),
        dc_offset=float(mono.mean(dtype=np.float64)) if len(mono) else 0.0,
        gaps=_gaps(mono, sample_rate_hz, level),
        high_band_db=_high_band_db(mono, sample_rate_hz) if active.any() else None,
        pitch_median_hz=pitch_hz(mono, sample_rate_hz) if pitch and active.any() else None,
    )


def _silence_around(active: npt.NDArray[np.bool_], duration_s: float) -> tuple[float, float]:
    (heard,) = np.nonzero(active)
    if not len(heard):
        return duration_s, duration_s
    end_s = heard[-1] * HOP_S + FRAME_S
    return float(heard[0] * HOP_S), float(max(0.0, duration_s - end_s))


def _runs(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return start and end (exclusive) of each run of True, shape (runs, 2)."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return edges.reshape(-1, 2)


def _clipped_fraction(mono: Samples) -> float:
    # each end of the scale on its own: a wave that jumps from one to the other is no flat top
    flat = 0
    for mask in (mono >= _FULL_SCALE, mono <= -_FULL_SCALE):
        lengths = np.diff(_runs(mask), axis=1)
        flat += int(lengths[lengths >= _FLAT_TOP_SAMPLES].sum())
    return flat / len(mono) if len(mono) else 0.0


def _gaps(mono: Samples, sample_rate_hz: int, active_level_dbfs: float) -> int:
    """Count the gaps whose two edges are at most 20 dB below the active level."""
    edge = max(1, round(_GAP_EDGE_S * sample_rate_hz))
    threshold = 10.0 ** ((active_level_dbfs + _GAP_EDGE_DB) / 10.0)
    gaps = 0
    for start, end in _runs(np.abs(mono) < _GAP_PEAK):
        if end - start < _GAP_S * sample_rate_hz or start < edge or end + edge > len(mono):
            continue
        before, after = mono[start - edge : start], mono[end : end + edge]
        if min(np.mean(np.square(before)), np.mean(np.square(after))) >= threshold:
            gaps += 1
    return gaps


def _high_band_db(mono: Samples, sample_rate_hz: int) -> float | None:
    size = round(_SPECTRUM_S * sample_rate_hz)
    if sample_rate_hz < 2 * _HIGH_BAND_HZ[1] or len(mono) < size:
        return None
    step = max(size // 2, len(mono) // _MAX_SPECTRA)
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[::step]
    # the mean of powers: loud frames, that is speech, count by themselves
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(size), axis=1))).mean(axis=0)
    bins_hz = np.fft.rfftfreq(size, 1.0 / sample_rate_hz)
    low, high = (
        float(power[(bins_hz >= first) & (bins_hz < last)].sum())
        for first, last in (_LOW_BAND_HZ, _HIGH_BAND_HZ)
    )
    quietest = 1e-12
    return float(10.0 * np.log10(max(high, quietest) / max(low, quietest)))
