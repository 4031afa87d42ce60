"""The 24 kHz vocoder: a log-mel becomes a waveform.

The pitch read from the mel drives a harmonic source; convolutions shape the spectrum of the
waveform frame by frame, guided by the source's spectrum; an inverse Fourier transform gives the
samples. Knows of files only how they store a weight-normed layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from glmtts_core.engines.glmtts.checkpoint.weight_sources import WeightSource
from glmtts_core.engines.glmtts.checkpoint.weights import fill, fill_random, read_checked
from glmtts_core.engines.glmtts.networks.hift_blocks import PitchPredictor, ResidualBlock
from glmtts_core.engines.glmtts.networks.hift_source import HarmonicSource, draw_source_noise

#: Largest magnitude of one bin before the inverse transform.
_MAGNITUDE_LIMIT: Final = 1e2
#: Slope of the leaky ReLU before the last convolution; the stages have their own.
_LAST_SLOPE: Final = 0.01
#: Names of direction and length of a weight-normed layer, new form and old.
_NORMED_NAMES: Final = (
    ("parametrizations.weight.original1", "parametrizations.weight.original0"),
    ("weight_v", "weight_g"),
)


@dataclass(frozen=True, slots=True)
class HiftConfig:
    """Sizes of the vocoder; the defaults are those of the official checkpoint.

    Attributes:
        mel_bins: bins of the log-mel.
        channels: after the first convolution; every stage halves them.
        pitch_channels: of the pitch predictor.
        sample_rate_hz: of the waveform.
        upsampling: factor of every stage.
        upsampling_kernels: kernel of every stage's transposed convolution.
        fft_size: of the transform at the end.
        hop: samples between its frames.
        kernels: of the residual blocks of a stage.
        dilations: of the layers in every residual block.
        source_kernels: of the residual block of the source before each stage.
        slope: of the leaky ReLU before each stage.
        sample_limit: largest magnitude of a sample.
    """

    mel_bins: int = 80
    channels: int = 512
    pitch_channels: int = 512
    sample_rate_hz: int = 24_000
    upsampling: tuple[int, ...] = (8, 5, 3)
    upsampling_kernels: tuple[int, ...] = (16, 11, 7)
    fft_size: int = 16
    hop: int = 4
    kernels: tuple[int, ...] = (3, 7, 11)
    dilations: tuple[int, ...] = (1, 3, 5)
    source_kernels: tuple[int, ...] = (7, 7, 11)
    slope: float = 0.1
    sample_limit: float = 0.99

    @property
    def frame_samples(self) -> int:
        """Samples of one mel frame."""
        return self.source_strides[0] * self.upsampling[0] * self.hop

    @property
    def source_strides(self) -> tuple[int, ...]:
        """Stride over the source's frames in each stage, the first stage first."""
        strides = [1]
        for factor in reversed(self.upsampling[1:]):
            strides.insert(0, strides[0] * factor)
        return tuple(strides)


class Hift(nn.Module):
    """The vocoder, with weight norms folded; modules are named as in the official checkpoint."""

    window: Tensor

    def __init__(self, config: HiftConfig) -> None:
        super().__init__()
        self.config = config
        self.f0_predictor = PitchPredictor(config.mel_bins, config.pitch_channels)
        self.m_source = HarmonicSource(config.sample_rate_hz, config.frame_samples)
        self.conv_pre = nn.Conv1d(config.mel_bins, config.channels, 7, padding=3)
        self.ups = nn.ModuleList()
        self.source_downs = nn.ModuleList()
        self.source_resblocks = nn.ModuleList()
        self.resblocks = nn.ModuleList()
        width = config.channels
        for stage, (factor, kernel) in enumerate(
            zip(config.upsampling, config.upsampling_kernels, strict=True)
        ):
            self.ups.append(
                nn.ConvTranspose1d(
                    width, width // 2, kernel, stride=factor, padding=(kernel - factor) // 2
                )
            )
            width //= 2
            self.source_downs.append(self._source_down(width, config.source_strides[stage]))
            self.source_resblocks.append(
                ResidualBlock(width, config.source_kernels[stage], config.dilations)
            )
            for each in config.kernels:
                self.resblocks.append(ResidualBlock(width, each, config.dilations))
        self.conv_post = nn.Conv1d(width, config.fft_size + 2, 7, padding=3)
        self.register_buffer("window", torch.empty(config.fft_size), persistent=False)

    def _source_down(self, width: int, stride: int) -> nn.Conv1d:
        kernel = 2 * stride if stride > 1 else 1
        return nn.Conv1d(
            self.config.fft_size + 2, width, kernel, stride=stride, padding=stride // 2
        )

    @torch.inference_mode()
    def generate(self, mel: Tensor, generator: torch.Generator) -> Tensor:
        """Speak a log-mel (1, mel, M), M at least 1, as samples (1, 480 · M) within ±0.99.

        Args:
            mel: float32, on the vocoder's device.
            generator: of the source's noise, on the same device.
        """
        samples = mel.shape[2] * self.config.frame_samples
        noise = draw_source_noise(samples, mel.device, generator)
        return self.decode(mel, self.m_source(self.f0_predictor(mel), noise))

    @torch.inference_mode()
    def decode(self, mel: Tensor, source: Tensor) -> Tensor:
        """Speak a mel (1, mel, M) with a given source (1, 1, 480 · M)."""
        source_spectrum = self._spectrum(source.squeeze(1))
        x: Tensor = self.conv_pre(mel)
        count = len(self.config.kernels)
        for stage, up in enumerate(self.ups):
            x = up(functional.leaky_relu(x, self.config.slope))
            if stage == len(self.ups) - 1:
                # the final transform has one frame more than the samples fill
                x = functional.pad(x, (1, 0), mode="reflect")
            x = x + self.source_resblocks[stage](self.source_downs[stage](source_spectrum))
            blocks = self.resblocks[stage * count : (stage + 1) * count]
            x = self._mean_of(blocks, x)
        return self._waveform(self.conv_post(functional.leaky_relu(x, _LAST_SLOPE)))

    @staticmethod
    def _mean_of(blocks: nn.ModuleList, x: Tensor) -> Tensor:
        total = blocks[0](x)
        for block in blocks[1:]:
            total = total.add_(block(x))
        mean: Tensor = total.div_(len(blocks))
        return mean

    def _spectrum(self, samples: Tensor) -> Tensor:
        """Return real over imaginary parts (1, fft_size + 2, frames) of (1, samples)."""
        spectrum = torch.stft(
            samples, self.config.fft_size, self.config.hop, window=self.window, return_complex=True
        )
        return torch.cat((spectrum.real, spectrum.imag), dim=1)

    def _waveform(self, x: Tensor) -> Tensor:
        """Turn log magnitudes over phases (1, fft_size + 2, frames) into samples."""
        bins = self.config.fft_size // 2 + 1
        magnitude = x[:, :bins].exp().clamp(max=_MAGNITUDE_LIMIT)
        # the sine bounds the phase, as in training
        spectrum = torch.polar(magnitude, torch.sin(x[:, bins:]))
        samples = torch.istft(spectrum, self.config.fft_size, self.config.hop, window=self.window)
        return samples.clamp(-self.config.sample_limit, self.config.sample_limit)


def load_hift(
    source: WeightSource,
    *,
    device: torch.device,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Hift:
    """Build the vocoder with the weights of ``hift.pt``, in float32.

    Its sizes are in no file; the widths are read from the shapes of the weights.

    Raises:
        CheckpointError: a weight is missing or has another shape.
    """
    config = _config_of(source)
    with torch.device("meta"):
        hift = Hift(config)
    computed: dict[str, Callable[[WeightSource], Tensor]] = {
        "window": lambda _: torch.hann_window(config.fft_size)
    }
    for name, tensor in hift.state_dict().items():
        stem = name.removesuffix("weight")
        for direction, length in _NORMED_NAMES:
            if stem != name and stem + direction in source.keys():  # noqa: SIM118 - a source
                computed[name] = _folded(stem + direction, stem + length, tuple(tensor.shape))
    fill(
        hift,
        source,
        device=device,
        dtype=torch.float32,
        computed=computed,
        on_bytes=on_bytes,
    )
    return hift.eval()


def random_hift(
    config: HiftConfig,
    *,
    device: torch.device,
    seed: int = 0,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Hift:
    """Build the vocoder with random weights, for rehearsals and measurements."""
    with torch.device("meta"):
        hift = Hift(config)
    fill_random(
        hift,
        device=device,
        dtype=torch.float32,
        seed=seed,
        computed={"window": lambda: torch.hann_window(config.fft_size)},
        on_bytes=on_bytes,
    )
    return hift.eval()


def _config_of(source: WeightSource) -> HiftConfig:
    official = HiftConfig()
    found: dict[str, Any] = {}
    for key in ("conv_pre.weight", "conv_pre.weight_v", f"conv_pre.{_NORMED_NAMES[0][0]}"):
        if key in source.keys():  # noqa: SIM118 - a source
            found["channels"], found["mel_bins"], _ = source.shape(key)
    if "f0_predictor.classifier.weight" in source.keys():  # noqa: SIM118 - a source
        found["pitch_channels"] = source.shape("f0_predictor.classifier.weight")[1]
    return replace(official, **found)


def _folded(
    direction: str, length: str, shape: tuple[int, ...]
) -> Callable[[WeightSource], Tensor]:
    """Fold a weight norm: scale the direction to its length, per first dimension."""

    def read(source: WeightSource) -> Tensor:
        v = read_checked(source, direction, shape)
        g = read_checked(source, length, (shape[0], 1, 1))
        # the kernel behind torch.nn.utils.parametrizations.weight_norm: the same bits as unfolded
        return torch._weight_norm(v, g, 0)

    return read
