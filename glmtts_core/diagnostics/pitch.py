"""The median pitch of a voice, by torchaudio; importing PyTorch is left to the first call."""

from __future__ import annotations

from typing import Final

import numpy as np

from glmtts_core.audio import Samples, resample
from glmtts_core.diagnostics.levels import active_frames, decibels, mean_level

_RATE_HZ: Final = 16_000
#: Pitch is looked for between the medians of deep and of high speaking voices. Lower limits make
#: torchaudio take 300 Hz for 150: it prefers the shorter period only in the first half of its lags.
_RANGE_HZ: Final = (85, 500)
#: Three periods of a deep voice, and formants removed: both keep torchaudio in the right octave.
_FRAME_S: Final = 0.03
_LOWPASS_HZ: Final = 800.0
#: Frames in torchaudio's median; it takes at least 3.
_SMOOTHING: Final = 3
#: Only frames at most this far below the active level count: vowels.
_LEVEL_DB: Final = -6.0
#: With fewer frames (a quarter of a second) a median means nothing.
_MIN_FRAMES: Final = 8


def pitch_hz(mono: Samples, sample_rate_hz: int) -> float | None:
    """Return the median pitch of the loud frames (normalised cross-correlation, torchaudio)."""
    import torch  # heavy: imported only when a pitch is measured
    from torchaudio import functional

    voice = resample(mono, sample_rate_hz, _RATE_HZ)
    size = round(_FRAME_S * _RATE_HZ)
    with torch.inference_mode():
        wave = torch.from_numpy(np.ascontiguousarray(voice))
        for _ in range(2):  # 24 dB an octave
            wave = functional.lowpass_biquad(wave, _RATE_HZ, _LOWPASS_HZ)
        pitches = functional.detect_pitch_frequency(
            wave[None],
            _RATE_HZ,
            frame_time=_FRAME_S,
            win_length=_SMOOTHING,
            freq_low=_RANGE_HZ[0],
            freq_high=_RANGE_HZ[1],
        )[0].numpy()
    # the median smoothing swallows the last frame
    count = min(len(voice) // size, len(pitches))
    frames = voice[: count * size].reshape(count, size)
    levels = decibels(np.mean(np.square(frames, dtype=np.float64), axis=1))
    vowels = pitches[:count][levels >= mean_level(levels[active_frames(levels)]) + _LEVEL_DB]
    return float(np.median(vowels)) if len(vowels) >= _MIN_FRAMES else None
