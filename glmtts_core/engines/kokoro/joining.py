"""Pieces of speech on one timeline: silences trimmed, short fades, natural pauses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from glmtts_core.audio import Samples

#: Length of the frames in which silence is looked for, in seconds.
_FRAME_S: Final = 0.01
#: A frame is silent below this part of the loudest frame (-46 dB), or below the noise floor.
_SILENT_RATIO: Final = 0.005
_NOISE_FLOOR: Final = 1e-4
#: Silence that is kept before and after the speech: consonants start and end quietly.
_LEAD_S: Final = 0.04
_TAIL_S: Final = 0.06
_FADE_S: Final = 0.008


def trimmed(samples: Samples, sample_rate_hz: int) -> Samples:
    """Return the speech without the silence around it, faded in and out.

    Args:
        samples: float32, shape (frames,).
        sample_rate_hz: their rate.

    Returns:
        float32, shape (frames,); empty when there is nothing but silence.
    """
    size = round(sample_rate_hz * _FRAME_S)
    count = -(-len(samples) // size)
    padded = np.zeros(count * size, np.float32)
    padded[: len(samples)] = samples
    loudness = np.sqrt(np.mean(np.square(padded.reshape(count, size)), axis=1))
    threshold = max(_NOISE_FLOOR, _SILENT_RATIO * float(loudness.max(initial=0.0)))
    (heard,) = np.nonzero(loudness > threshold)
    if not len(heard):
        return np.zeros(0, np.float32)
    start = max(0, int(heard[0]) * size - round(_LEAD_S * sample_rate_hz))
    end = (int(heard[-1]) + 1) * size + round(_TAIL_S * sample_rate_hz)
    speech = samples[start:end].copy()
    fade = np.linspace(
        0.0, 1.0, min(round(_FADE_S * sample_rate_hz), len(speech)), dtype=np.float32
    )
    speech[: len(fade)] *= fade
    speech[len(speech) - len(fade) :] *= fade[::-1]
    return speech


def joined(pieces: Sequence[Samples], pauses_s: Sequence[float], sample_rate_hz: int) -> Samples:
    """Return the pieces one after the other, each followed by its pause, the last by none.

    Args:
        pieces: float32, shape (frames,) each.
        pauses_s: seconds of silence after each.
        sample_rate_hz: their rate.

    Returns:
        float32, shape (frames,), nowhere beyond ±1.
    """
    timeline: list[Samples] = []
    for piece, pause_s in zip(pieces, pauses_s, strict=True):
        timeline += [piece, np.zeros(round(pause_s * sample_rate_hz), np.float32)]
    if not timeline:
        return np.zeros(0, np.float32)
    whole = np.concatenate(timeline[:-1])
    return np.clip(whole, -1.0, 1.0, out=whole)
