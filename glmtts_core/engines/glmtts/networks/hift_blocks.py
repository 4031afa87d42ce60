"""Modules of the vocoder: residual blocks with their snake activation, the pitch predictor.

They are named as in the official checkpoint. Shapes: B batch, C channels, T time.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

#: Smallest divisor in the snake activation.
_SNAKE_EPSILON: Final = 1e-9


class Snake(nn.Module):
    """x + sin²(αx) / α, with one α a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, T) to the same shape."""
        alpha = self.alpha.view(1, -1, 1)
        # in place from the second step on: these maps are the largest of the vocoder
        bent = (x * alpha).sin_().square_()
        return torch.addcmul(x, bent, 1.0 / (alpha + _SNAKE_EPSILON), out=bent)


class ResidualBlock(nn.Module):
    """Pairs of convolutions, the first of each dilated, around a residual path."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(_same_length(channels, kernel, each) for each in dilations)
        self.convs2 = nn.ModuleList(_same_length(channels, kernel, 1) for _ in dilations)
        self.activations1 = nn.ModuleList(Snake(channels) for _ in dilations)
        self.activations2 = nn.ModuleList(Snake(channels) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, T) to the same shape."""
        for dilated, plain, before, between in zip(
            self.convs1, self.convs2, self.activations1, self.activations2, strict=True
        ):
            x = plain(between(dilated(before(x)))).add_(x)
        return x


def _same_length(channels: int, kernel: int, dilation: int) -> nn.Conv1d:
    return nn.Conv1d(
        channels, channels, kernel, dilation=dilation, padding=dilation * (kernel - 1) // 2
    )


class PitchPredictor(nn.Module):
    """Convolutions over the mel that end in one pitch a frame."""

    def __init__(self, mel_bins: int, channels: int) -> None:
        super().__init__()
        widths = (mel_bins, channels, channels, channels, channels)
        self.condnet = nn.Sequential(
            *(
                layer
                for width in widths
                for layer in (nn.Conv1d(width, channels, 3, padding=1), nn.ELU())
            )
        )
        self.classifier = nn.Linear(channels, 1)

    def forward(self, mel: Tensor) -> Tensor:
        """Map (1, mel, M) to the pitch in Hz (1, M)."""
        pitch: Tensor = self.classifier(self.condnet(mel).transpose(1, 2))
        return pitch.squeeze(2).abs()
