"""Sound as numbers: decode, encode, resample, measure, and the curves that the pages draw.

Knows nothing about engines, sessions or widgets.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from glmtts_core.errors import AudioError
from glmtts_core.sound_files.samples import Samples as Samples
from glmtts_core.sound_files.samples import mean_of_channels, read_samples

#: Samples that are encoded at a time: 4 MiB of float32.
_BLOCK_SAMPLES: Final = 2**20
#: Columns of a spectrogram picture.
_MAX_MEL_FRAMES: Final = 1000
#: Length of a spectrogram's window and its usual step, in seconds.
_MEL_WINDOW_S: Final = 0.042
_MEL_BANDS: Final = 80
_MEL_HOP_S: Final = 0.0107
#: Quietest magnitude that a spectrogram shows: -100 dB.
_MEL_FLOOR: Final = 1e-5


@dataclass(frozen=True)
class Audio:
    """A decoded recording.

    Attributes:
        samples: float32, shape (frames,) for one channel, else (frames, channels), full scale ±1.
        sample_rate_hz: its own rate.
    """

    samples: Samples
    sample_rate_hz: int


def decode(data: bytes, name: str, *, max_s: float | None = None, mono: bool = False) -> Audio:
    """Decode a sound file: all kinds that libsndfile reads, and those that take ffmpeg.

    Args:
        data: the file's bytes.
        name: the file's name, for messages.
        max_s: longest duration that is accepted, in seconds.
        mono: return the mean of the channels, which are never in memory all at once.

    Raises:
        AudioError: the file is empty, not audio, damaged, without a single frame, too long, of
            unusable channels or rate, holds NaN or infinity, or takes ffmpeg, which is not here.
            Nothing is decoded when the header already tells "too long", and one that claims more
            than the file holds costs no memory.
    """
    if not data:
        raise AudioError("audio.empty", name=name)
    samples, rate = read_samples(data, name, max_s, mono=mono)
    if not len(samples):
        raise AudioError("audio.no_frames", name=name)
    if not np.isfinite(samples).all():
        raise AudioError("audio.not_finite", name=name)
    return Audio(samples, rate)


def encode_wav(samples: Samples, sample_rate_hz: int) -> bytes:
    """Return a 16-bit PCM WAV file; what lies beyond ±1 is clipped, what 16 bits can hold is kept.

    Args:
        samples: float32, shape (frames,) or (frames, channels), full scale ±1.
        sample_rate_hz: the rate written into the header.

    Raises:
        AudioError: NaN or infinity among the samples.
    """
    if not np.isfinite(samples).all():
        raise AudioError("audio.encode_not_finite")
    # 32768 is the divisor of decoders, so that 16-bit audio survives the round trip bit by bit;
    # block by block, since a long text's samples are no small thing to have twice
    pcm = np.empty(samples.shape, "<i2")
    for start in range(0, len(samples), _BLOCK_SAMPLES):
        block = samples[start : start + _BLOCK_SAMPLES] * np.float32(32768.0)
        np.clip(np.rint(block, out=block), -32768, 32767, out=block)
        pcm[start : start + _BLOCK_SAMPLES] = block
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(sample_rate_hz)
        file.writeframes(pcm.data)
    return target.getvalue()


def to_mono(samples: Samples) -> Samples:
    """Return the mean of the channels, shape (frames,)."""
    return samples if samples.ndim == 1 else mean_of_channels(samples)


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Return the same sound at another rate, band-limited, in phase.

    Args:
        samples: float32, shape (frames,) or (frames, channels).
        from_hz: its rate.
        to_hz: the rate wanted.

    Returns:
        float32, frames · to_hz / from_hz of them, rounded up.
    """
    if from_hz == to_hz or not len(samples):
        return samples
    frames = -(-len(samples) * to_hz // from_hz)
    # soxr rounds the length to the nearest frame: silence behind the sound yields the last one
    silence = [(0, from_hz // to_hz + 1), (0, 0)][: samples.ndim]
    padded = np.pad(np.asarray(samples, np.float32), silence)
    result: Samples = np.ascontiguousarray(soxr.resample(padded, from_hz, to_hz, "VHQ")[:frames])
    return result


def log_mel(samples: Samples, sample_rate_hz: int) -> Samples:
    """Return a mel spectrogram for the eye, in dB below full scale (-100 to about 40).

    At most about 1000 columns come back: the step grows with the length.

    Args:
        samples: float32, shape (frames,) or (frames, channels).
        sample_rate_hz: their rate.

    Returns:
        float32, shape (80, columns), the lowest band first.
    """
    mono = to_mono(samples)
    window = int(2 ** round(np.log2(sample_rate_hz * _MEL_WINDOW_S)))
    hop = max(round(sample_rate_hz * _MEL_HOP_S), -(-len(mono) // _MAX_MEL_FRAMES), 1)
    padded = np.pad(mono, (window // 2, window // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    # the periodic Hann window; without PyTorch, which a page that only looks must not load
    hann = np.hanning(window + 1)[:-1].astype(np.float32)
    magnitudes = np.abs(np.fft.rfft(frames * hann, axis=1))
    mel = _mel_filters(sample_rate_hz, window) @ magnitudes.T
    decibels: Samples = (20.0 * np.log10(np.maximum(mel, _MEL_FLOOR))).astype(np.float32)
    return decibels


@cache
def _mel_filters(sample_rate_hz: int, window: int) -> npt.NDArray[np.float64]:
    """Return triangles evenly spaced on O'Shaughnessy's mel scale, shape (80, window/2 + 1)."""
    highest_mel = 2595.0 * np.log10(1.0 + sample_rate_hz / 2 / 700.0)
    corners_hz = 700.0 * (10.0 ** (np.linspace(0.0, highest_mel, _MEL_BANDS + 2) / 2595.0) - 1.0)
    bins_hz = np.fft.rfftfreq(window, 1.0 / sample_rate_hz)
    low, centre, high = (corners_hz[index : index + _MEL_BANDS, None] for index in range(3))
    rising = (bins_hz - low) / (centre - low)
    falling = (high - bins_hz) / (high - centre)
    return np.maximum(0.0, np.minimum(rising, falling))


def envelope(samples: Samples, points: int) -> tuple[Samples, Samples]:
    """Return the lowest and highest sample of each of ``points`` equal stretches.

    Args:
        samples: float32, shape (frames,) or (frames, channels); channels are averaged.
        points: how many stretches; fewer come back when there are fewer samples.

    Returns:
        Minima and maxima, each float32 of shape (min(points, frames),).
    """
    mono = to_mono(samples)
    count = min(points, len(mono))
    if count < 1:
        nothing = np.zeros(0, np.float32)
        return nothing, nothing
    starts = np.linspace(0, len(mono), count, endpoint=False).astype(np.intp)
    return np.minimum.reduceat(mono, starts), np.maximum.reduceat(mono, starts)
