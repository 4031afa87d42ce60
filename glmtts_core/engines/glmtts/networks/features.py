"""What the networks hear of a recording: mel spectrograms, filterbanks, resampled waves.

All of it is float32 on the host. Knows nothing about networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

#: The rate that the speech tokenizer and the speaker model hear.
ENCODER_HZ: Final = 16_000

#: Terms of the largest resampling ratio that is computed exactly: the kernel grows with their
#: product, and a ratio of 44101:24000 would ask for 4 GB.
_MAX_RATIO_TERM: Final = 1000
#: Quietest magnitude in the prompt's mel.
_MEL_FLOOR: Final = 1e-5
#: Added to the power before its root, as the model was trained with.
_POWER_OFFSET: Final = 1e-9
#: Quietest power in Whisper's mel, and how far below the loudest it may lie (in powers of ten).
_WHISPER_FLOOR: Final = 1e-10
_WHISPER_RANGE: Final = 8.0


@dataclass(frozen=True, slots=True)
class MelSettings:
    """One kind of mel spectrogram; the key under which its window and filters are kept.

    Attributes:
        sample_rate_hz: rate of the wave.
        n_fft: length of window and transform, in samples.
        hop: step between frames, in samples.
        n_mels: number of bands.
        highest_hz: upper edge of the highest band; the lowest begins at 0 Hz.
    """

    sample_rate_hz: int
    n_fft: int
    hop: int
    n_mels: int = 80
    highest_hz: float = 8000.0

    @property
    def pad(self) -> int:
        """Samples mirrored at each end, so that a frame lies in the middle of its step."""
        return (self.n_fft - self.hop) // 2


#: The prompt's mel for each vocoder: 50 frames a second.
MEL_24K: Final = MelSettings(sample_rate_hz=24_000, n_fft=1920, hop=480)
MEL_32K: Final = MelSettings(sample_rate_hz=32_000, n_fft=2560, hop=640)
_MEL_BY_RATE: Final = {settings.sample_rate_hz: settings for settings in (MEL_24K, MEL_32K)}


@dataclass(frozen=True)
class WhisperFeatures:
    """What the speech tokenizer hears of a batch of pieces.

    Attributes:
        features: float32, shape (B, n_mels, T), 100 frames a second.
        attention_mask: int64, shape (B, T), 1 where a frame holds sound, 0 where it is padding.
    """

    features: Tensor
    attention_mask: Tensor


def mel_settings(sample_rate_hz: int) -> MelSettings:
    """Return the settings of the prompt's mel for one of the vocoders' rates.

    Raises:
        KeyError: there is no vocoder for this rate.
    """
    return _MEL_BY_RATE[sample_rate_hz]


def resample(wave: Tensor, from_hz: int, to_hz: int) -> Tensor:
    """Return ``wave`` (..., S) at another rate, band-limited (Hann-windowed sinc, width 6)."""
    if from_hz == to_hz:
        return wave
    from torchaudio.functional import resample as resample_by_sinc  # heavy

    ratio = Fraction(from_hz, to_hz).limit_denominator(_MAX_RATIO_TERM)
    resampled: Tensor = resample_by_sinc(wave, ratio.numerator, ratio.denominator)
    return resampled


def log_mel(wave: Tensor, settings: MelSettings) -> Tensor:
    """Return the natural logarithm of the magnitude mel spectrogram.

    Args:
        wave: float32, shape (S,), full scale ±1, longer than ``settings.pad``.
        settings: of the spectrogram, at the wave's own rate.

    Returns:
        float32, shape (1, S // hop, n_mels).
    """
    padded = functional.pad(wave[None, None], (settings.pad, settings.pad), mode="reflect")
    spectrum = torch.stft(
        padded[0],
        settings.n_fft,
        settings.hop,
        window=_hann(settings.n_fft),
        center=False,
        return_complex=True,
    )
    power = torch.view_as_real(spectrum).square().sum(-1)
    mel = mel_filters(settings) @ torch.sqrt(power + _POWER_OFFSET)
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
    pieces: Sequence[Tensor], settings: MelSettings, multiple_of: int
) -> WhisperFeatures:
    """Return Whisper's log-mel features of ``pieces`` as one batch.

    Args:
        pieces: float32, each of shape (S,), at the rate of ``settings``.
        settings: 128 bands, 25 ms windows and 10 ms steps for the speech tokenizer.
        multiple_of: pieces are padded with silence to the longest, rounded up to this many
            samples.
    """
    longest = max(len(piece) for piece in pieces)
    length = -(-longest // multiple_of) * multiple_of
    batch = torch.stack([functional.pad(piece, (0, length - len(piece))) for piece in pieces])
    spectrum = torch.stft(
        batch, settings.n_fft, settings.hop, window=_hann(settings.n_fft), return_complex=True
    )
    power = torch.view_as_real(spectrum[..., :-1]).square().sum(-1)
    levels = (mel_filters(settings) @ power).clamp(min=_WHISPER_FLOOR).log10()
    levels = torch.maximum(levels, levels.amax(dim=(1, 2), keepdim=True) - _WHISPER_RANGE)
    starts = torch.arange(0, length, settings.hop)
    sounding = starts < torch.tensor([len(piece) for piece in pieces])[:, None]
    return WhisperFeatures((levels + 4.0) / 4.0, sounding.long()[:, : power.shape[-1]])


@cache
def mel_filters(settings: MelSettings) -> Tensor:
    """Return Slaney's triangles of equal area, float32, shape (n_mels, n_fft / 2 + 1)."""
    bins = torch.linspace(0.0, settings.sample_rate_hz / 2, settings.n_fft // 2 + 1).double()
    top = _hz_to_mel(torch.tensor(settings.highest_hz, dtype=torch.float64))
    corners = _mel_to_hz(torch.linspace(0.0, float(top), settings.n_mels + 2, dtype=torch.float64))
    low, centre, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising = (bins - low) / (centre - low)
    falling = (high - bins) / (high - centre)
    triangles = torch.minimum(rising, falling).clamp(min=0.0)
    return (triangles * (2.0 / (high - low))).float()


#: Slaney's mel scale: 3 mel for 200 Hz up to 1000 Hz, above that 27 mel for a factor of 6.4.
_LINEAR_HZ_PER_MEL: Final = 200.0 / 3.0
_BREAK_HZ: Final = 1000.0
_BREAK_MEL: Final = _BREAK_HZ / _LINEAR_HZ_PER_MEL
_LOG_STEP: Final = 0.06875177742094912  # ln(6.4) / 27


def _hz_to_mel(hz: Tensor) -> Tensor:
    above = _BREAK_MEL + (hz.clamp(min=_BREAK_HZ) / _BREAK_HZ).log() / _LOG_STEP
    return torch.where(hz < _BREAK_HZ, hz / _LINEAR_HZ_PER_MEL, above)


def _mel_to_hz(mel: Tensor) -> Tensor:
    above = _BREAK_HZ * ((mel - _BREAK_MEL) * _LOG_STEP).exp()
    return torch.where(mel < _BREAK_MEL, mel * _LINEAR_HZ_PER_MEL, above)


@cache
def _hann(length: int) -> Tensor:
    return torch.hann_window(length)
