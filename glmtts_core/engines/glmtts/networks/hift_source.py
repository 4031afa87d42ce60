"""The excitation of the vocoder: a sine and its harmonics that follow the pitch, plus noise.

Phases are computed per mel frame: the pitch is constant within a frame, so that summing its angles
per sample, as in the formula, would only repeat the same values.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Amplitude of each sine.
_SINE_LEVEL: Final = 0.1
#: Standard deviation of the noise in voiced frames.
_VOICED_NOISE: Final = 0.003
#: Pitch in Hz from which a frame counts as voiced.
_VOICED_HZ: Final = 10.0
#: Harmonics, the pitch itself among them.
HARMONICS: Final = 9


def draw_source_noise(samples: int, device: torch.device, generator: torch.Generator) -> Tensor:
    """Draw standard normal noise (1, samples, harmonics).

    In the order of the reference, so that a seed gives the same noise: the reference first draws a
    start phase, which has no effect, and last a noise that it does not use.
    """
    torch.rand(1, HARMONICS, generator=generator, device=device)
    noise = torch.randn(1, samples, HARMONICS, generator=generator, device=device)
    torch.randn(1, samples, 1, generator=generator, device=device)
    return noise


class HarmonicSource(nn.Module):
    """Sines at the pitch and its multiples, mixed down to one channel."""

    def __init__(self, sample_rate_hz: int, frame_samples: int) -> None:
        super().__init__()
        self.sample_rate_hz = sample_rate_hz
        self.frame_samples = frame_samples
        self.l_linear = nn.Linear(HARMONICS, 1)

    def forward(self, pitch_hz: Tensor, noise: Tensor | None) -> Tensor:
        """Map the pitch per frame (1, M) to the excitation (1, 1, frame_samples · M).

        Args:
            pitch_hz: below 10 Hz means unvoiced.
            noise: (1, frame_samples · M, harmonics), or None.
        """
        sines = _SINE_LEVEL * torch.sin(self._phases(pitch_hz))
        voiced = (pitch_hz > _VOICED_HZ).float().repeat_interleave(self.frame_samples, dim=1)
        voiced = voiced.unsqueeze(2)
        sines = sines * voiced
        if noise is not None:
            level = voiced * _VOICED_NOISE + (1.0 - voiced) * (_SINE_LEVEL / 3.0)
            sines = sines + level * noise
        mixed: Tensor = self.l_linear(sines)
        return torch.tanh(mixed).transpose(1, 2)

    def _phases(self, pitch_hz: Tensor) -> Tensor:
        """Return the angles (1, samples, harmonics) of all harmonics."""
        numbers = torch.arange(1, HARMONICS + 1, dtype=torch.float32, device=pitch_hz.device)
        turns = (pitch_hz.unsqueeze(1) * numbers.view(1, -1, 1) / self.sample_rate_hz) % 1.0
        angles = turns.cumsum(dim=2) * (2.0 * math.pi) * self.frame_samples
        stretched = functional.interpolate(
            angles, scale_factor=float(self.frame_samples), mode="linear"
        )
        return stretched.transpose(1, 2)
