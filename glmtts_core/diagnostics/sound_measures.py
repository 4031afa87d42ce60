"""What can be measured of one spoken result: levels, silence, gaps, spectrum and pitch.

Knows nothing about what is good or bad; `quality` judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from glmtts_core.audio import Samples, resample, to_mono

#: Frames of the level curve: long enough for one period of the deepest voice.
_FRAME_S: Final = 0.02
_HOP_S: Final = 0.01
#: Quietest level that is told, in dB below full scale: the last bit of 16-bit audio lies there.
FLOOR_DBFS: Final = -96.0
#: A frame is speech when it lies at most so far below the loudest one ...
_ACTIVE_RANGE_DB: Final = 40.0
#: ... and above this level, at which speech played at a usual volume is no longer heard.
INAUDIBLE_DBFS: Final = -60.0
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
#: Pitch is looked for between the medians of deep and of high speaking voices. Lower limits make
#: torchaudio take 300 Hz for 150: it prefers the shorter period only in the first half of its lags.
_PITCH_RATE_HZ: Final = 16_000
_PITCH_RANGE_HZ: Final = (85, 500)
#: Three periods of a deep voice, and formants taken out: both keep torchaudio to the right octave.
_PITCH_FRAME_S: Final = 0.03
_PITCH_LOWPASS_HZ: Final = 800.0
#: Frames in torchaudio's median; it takes at least 3.
_PITCH_SMOOTHING: Final = 3
#: Pitch counts in frames at most so far below the active level: vowels.
_PITCH_LEVEL_DB: Final = -6.0
#: With fewer frames of pitch (a quarter of a second) a median says nothing.
_MIN_PITCH_FRAMES: Final = 8


@dataclass(frozen=True, slots=True)
class SoundMeasures:
    """The figures of one sound; levels in dB relative to full scale (RMS).

    Attributes:
        duration_s: length.
        finite: whether every sample is a number; where not, the others are measured.
        peak: highest magnitude, full scale is 1.
        active_level_dbfs: level of the frames with speech; `FLOOR_DBFS` where there are none.
        leading_silence_s: before the first frame with speech; all of it where there is none.
        trailing_silence_s: after the last frame with speech.
        silent_fraction: share of the frames without speech.
        clipped_fraction: share of the samples in flat tops at full scale.
        dc_offset: mean of all samples, full scale is 1.
        gaps: how often speech stops and goes on within milliseconds.
        longest_gap_s: the longest of them; 0 without any.
        high_band_db: energy of 4-8 kHz over that of 0.3-4 kHz; None below 16 kHz sample rate and
            without speech.
        pitch_median_hz: median of the fundamental frequency of vowels; None where there are too
            few, or where it was not asked for.
    """

    duration_s: float
    finite: bool
    peak: float
    active_level_dbfs: float
    leading_silence_s: float
    trailing_silence_s: float
    silent_fraction: float
    clipped_fraction: float
    dc_offset: float
    gaps: int
    longest_gap_s: float
    high_band_db: float | None
    pitch_median_hz: float | None


def measure_sound(samples: Samples, sample_rate_hz: int, *, pitch: bool = True) -> SoundMeasures:
    """Measure one result.

    Args:
        samples: float32, shape (frames,) or (frames, channels), full scale ±1.
        sample_rate_hz: their rate.
        pitch: look for the pitch too; that imports PyTorch, everything else needs only numpy.
    """
    finite = bool(np.isfinite(samples).all())
    mono = to_mono(samples if finite else np.nan_to_num(samples, posinf=0.0, neginf=0.0))
    levels = level_curve(mono, sample_rate_hz)
    active = _active(levels)
    level = _mean_level(levels[active])
    leading_s, trailing_s = _silence_around(active, len(mono) / sample_rate_hz)
    gaps_s = _gaps_s(mono, sample_rate_hz, level)
    return SoundMeasures(
        duration_s=len(mono) / sample_rate_hz,
        finite=finite,
        peak=float(np.abs(mono).max(initial=0.0)),
        active_level_dbfs=level,
        leading_silence_s=leading_s,
        trailing_silence_s=trailing_s,
        silent_fraction=1.0 - float(active.mean()) if len(active) else 1.0,
        clipped_fraction=_clipped_fraction(mono),
        dc_offset=float(mono.mean(dtype=np.float64)) if len(mono) else 0.0,
        gaps=len(gaps_s),
        longest_gap_s=max(gaps_s, default=0.0),
        high_band_db=_high_band_db(mono, sample_rate_hz) if active.any() else None,
        pitch_median_hz=_pitch_hz(mono, sample_rate_hz) if pitch and active.any() else None,
    )


def level_curve(mono: Samples, sample_rate_hz: int) -> npt.NDArray[np.float64]:
    """Return the RMS level of each 20 ms frame every 10 ms in dBFS, shape (frames,)."""
    size, hop = round(_FRAME_S * sample_rate_hz), round(_HOP_S * sample_rate_hz)
    if len(mono) < size:
        mono = np.pad(mono, (0, size - len(mono))) if len(mono) else mono
    if not len(mono):
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[::hop]
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / size
    return _decibels(power)


def _decibels(power: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    levels: npt.NDArray[np.float64] = 10.0 * np.log10(
        np.maximum(power, 10.0 ** (FLOOR_DBFS / 10.0))
    )
    return levels


def _active(levels: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    loudest = levels.max(initial=FLOOR_DBFS)
    active: npt.NDArray[np.bool_] = levels >= max(INAUDIBLE_DBFS, loudest - _ACTIVE_RANGE_DB)
    return active


def _mean_level(levels: npt.NDArray[np.float64]) -> float:
    if not len(levels):
        return FLOOR_DBFS
    return float(10.0 * np.log10(np.mean(10.0 ** (levels / 10.0))))


def _silence_around(active: npt.NDArray[np.bool_], duration_s: float) -> tuple[float, float]:
    (heard,) = np.nonzero(active)
    if not len(heard):
        return duration_s, duration_s
    end_s = heard[-1] * _HOP_S + _FRAME_S
    return float(heard[0] * _HOP_S), float(max(0.0, duration_s - end_s))


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


def _gaps_s(mono: Samples, sample_rate_hz: int, active_level_dbfs: float) -> list[float]:
    """Return the length of each gap whose two edges are at most 20 dB below the active level."""
    edge = max(1, round(_GAP_EDGE_S * sample_rate_hz))
    threshold = 10.0 ** ((active_level_dbfs + _GAP_EDGE_DB) / 10.0)
    found = []
    for start, end in _runs(np.abs(mono) < _GAP_PEAK):
        if end - start < _GAP_S * sample_rate_hz or start < edge or end + edge > len(mono):
            continue
        before, after = mono[start - edge : start], mono[end : end + edge]
        if min(np.mean(np.square(before)), np.mean(np.square(after))) >= threshold:
            found.append(float(end - start) / sample_rate_hz)
    return found


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


def _pitch_hz(mono: Samples, sample_rate_hz: int) -> float | None:
    """Return the median pitch of the loud frames (normalised cross-correlation, torchaudio)."""
    import torch  # heavy: only who asks for the pitch pays for it
    from torchaudio import functional

    voice = resample(mono, sample_rate_hz, _PITCH_RATE_HZ)
    size = round(_PITCH_FRAME_S * _PITCH_RATE_HZ)
    with torch.inference_mode():
        wave = torch.from_numpy(np.ascontiguousarray(voice))
        for _ in range(2):  # 24 dB an octave
            wave = functional.lowpass_biquad(wave, _PITCH_RATE_HZ, _PITCH_LOWPASS_HZ)
        pitches = functional.detect_pitch_frequency(
            wave[None],
            _PITCH_RATE_HZ,
            frame_time=_PITCH_FRAME_S,
            win_length=_PITCH_SMOOTHING,
            freq_low=_PITCH_RANGE_HZ[0],
            freq_high=_PITCH_RANGE_HZ[1],
        )[0].numpy()
    # the median smoothing swallows the last frame
    count = min(len(voice) // size, len(pitches))
    frames = voice[: count * size].reshape(count, size)
    levels = _decibels(np.mean(np.square(frames, dtype=np.float64), axis=1))
    vowels = pitches[:count][levels >= _mean_level(levels[_active(levels)]) + _PITCH_LEVEL_DB]
    return float(np.median(vowels)) if len(vowels) >= _MIN_PITCH_FRAMES else None
