"""Inputs of the networks from a recording: mel spectrograms, filterbanks, resampled waves.

All of it is float32 on the host. Knows nothing about networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

#: Sample rate of the speech tokenizer and the speaker model.
ENCODER_HZ: Final = 16_000

#: Terms of the largest resampling ratio that is computed exactly: the kernel grows with their
#: product, and a ratio of 44101:24000 would ask for 4 GB.
_MAX_RATIO_TERM: Final = 1000
#: Window and step of the prompt's mel.
_WINDOW_MS: Final = 80
_HOP_MS: Final = 20
#: Bands of the prompt's mel, from 0 Hz to this frequency.
_MEL_BANDS: Final = 80
_HIGHEST_HZ: Final = 8000.0
#: Quietest magnitude in the prompt's mel.
_MEL_FLOOR: Final = 1e-5
#: Added to the power before its root, as the model was trained with.
_POWER_OFFSET: Final = 1e-9


def resample(wave: Tensor, from_hz: int, to_hz: int) -> Tensor:
    """Return ``wave`` (..., S) at another rate, band-limited (Hann-windowed sinc, width 6)."""
    if from_hz == to_hz:
        return wave
    from torchaudio.functional import resample as resample_by_sinc  # heavy

    ratio = Fraction(from_hz, to_hz).limit_denominator(_MAX_RATIO_TERM)
    resampled: Tensor = resample_by_sinc(wave, ratio.numerator, ratio.denominator)
    return resampled


def log_mel(wave: Tensor, sample_rate_hz: int) -> Tensor:
    """Return the natural logarithm of the magnitude mel spectrogram, 50 frames a second.

    Args:
        wave: float32, shape (S,), full scale ±1, longer than 30 ms.
        sample_rate_hz: its rate, that of the vocoder.

    Returns:
        float32, shape (1, frames, 80).
    """
    window, hop = sample_rate_hz * _WINDOW_MS // 1000, sample_rate_hz * _HOP_MS // 1000
    # mirrored at each end, so that a frame lies in the middle of its step
    pad = (window - hop) // 2
    padded = functional.pad(wave[None, None], (pad, pad), mode="reflect")
    spectrum = torch.stft(
        padded[0], window, hop, window=_hann(window), center=False, return_complex=True
    )
    power = torch.view_as_real(spectrum).square().sum(-1)
    mel = _mel_filters(sample_rate_hz, window) @ torch.sqrt(power + _POWER_OFFSET)
    return mel.clamp(min=_MEL_FLOOR).log().transpose(1, 2)


def speaker_filterbank(wave: Tensor) -> Tensor:
    """Return Kaldi's 80-band log filterbank, each band's mean over time taken away.

    Args:
        wave: float32, shape (S,), 16 kHz, full scale ±1, at least one frame of 25 ms.

    Returns:
        float32, shape (frames, 80), 100 frames a second.
    """
    from torchaudio.compliance.kaldi import fbank  # heavy

    bands: Tensor = fbank(
        wave[None], num_mel_bins=80, sample_frequency=float(ENCODER_HZ), dither=0.0
    )
    return bands - bands.mean(dim=0, keepdim=True)


def whisper_features(
    pieces: Sequence[Tensor], bands: int, multiple_of: int
) -> tuple[Tensor, Tensor]:
    """Return Whisper's log-mel features of ``pieces`` as one batch, with their mask.

    Args:
        pieces: float32, each of shape (S,), 16 kHz.
        bands: of the mel.
        multiple_of: pieces are padded with silence to the longest, rounded up to this many
            samples; a multiple of the 160 samples between two frames.

    Returns:
        Features, float32, shape (B, bands, T), 100 frames a second; and 1 where a frame holds
        sound, 0 where it is padding, shape (B, T).
    """
    from transformers import WhisperFeatureExtractor  # heavy

    batch = WhisperFeatureExtractor(feature_size=bands)(
        [piece.numpy() for piece in pieces],
        sampling_rate=ENCODER_HZ,
        padding="longest",
        pad_to_multiple_of=multiple_of,
        truncation=False,
        return_attention_mask=True,
        return_tensors="pt",
    )
    return batch["input_features"], batch["attention_mask"]


@cache
def _mel_filters(sample_rate_hz: int, window: int) -> Tensor:
    """Return Slaney's triangles of equal area, float32, shape (80, window / 2 + 1)."""
    from transformers.audio_utils import mel_filter_bank  # heavy

    filters = mel_filter_bank(
        num_frequency_bins=window // 2 + 1,
        num_mel_filters=_MEL_BANDS,
        min_frequency=0.0,
        max_frequency=_HIGHEST_HZ,
        sampling_rate=sample_rate_hz,
        norm="slaney",
        mel_scale="slaney",
    )
    return torch.from_numpy(filters).float().T.contiguous()


@cache
def _hann(length: int) -> Tensor:
    return torch.hann_window(length)
