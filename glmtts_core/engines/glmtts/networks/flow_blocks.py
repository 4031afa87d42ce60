"""Modules of the flow network: token embedding, transformer block, norms and rotations.

They are named as in the official checkpoint. Knows nothing about steps, guidance and noise.
Shapes: B batch, T mel frames, W width of the transformer, C width of the token embedding.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Width of the sinusoidal time embedding before its two layers.
TIME_FEATURES: Final = 256
#: Adaptive modulations of one block: shift, scale, gate before attention, the same before the
#: feed-forward part.
BLOCK_MODULATIONS: Final = 6
#: Modulations of the final norm: scale, shift.
FINAL_MODULATIONS: Final = 2
#: Positions of the token embedding; later ones share the last row.
_TOKEN_POSITIONS: Final = 4096
_NORM_EPSILON: Final = 1e-6
_POSITION_KERNEL: Final = 31
_POSITION_GROUPS: Final = 16


class CastingLinear(nn.Linear):
    """A linear layer that casts its input to the dtype of its weights."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name of the base class
        """Map (..., in) to (..., out), in the dtype of the weights."""
        return functional.linear(input.to(self.weight.dtype), self.weight, self.bias)


class TimeEmbedding(nn.Module):
    """Embeds the time between noise and speech."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.time_mlp = nn.Sequential(
            nn.Linear(TIME_FEATURES, width), nn.SiLU(), nn.Linear(width, width)
        )

    def forward(self, times: Tensor) -> Tensor:
        """Embed times (B,) from 0 (noise) to 1 (speech) as (B, W)."""
        half = TIME_FEATURES // 2
        steps = torch.arange(half, dtype=torch.float32, device=times.device)
        rates = torch.exp(steps * (-math.log(10_000) / (half - 1)))
        angles = 1000.0 * times.unsqueeze(1) * rates
        features: Tensor = self.time_mlp(torch.cat((angles.sin(), angles.cos()), dim=1))
        return features


class GlobalResponseNorm(nn.Module):
    """Scales channels by their relative energy over time (ConvNeXt V2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(1, 1, channels))
        self.beta = nn.Parameter(torch.empty(1, 1, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, C) to the same shape."""
        energy = x.norm(p=2, dim=1, keepdim=True)
        relative = energy / (energy.mean(dim=-1, keepdim=True) + 1e-6)
        normed: Tensor = self.gamma * (x * relative) + self.beta + x
        return normed


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution over time, then two layers with a global response norm between."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv1d(channels, channels, kernel_size=7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=_NORM_EPSILON)
        self.pwconv1 = nn.Linear(channels, hidden)
        self.grn = GlobalResponseNorm(hidden)
        self.pwconv2 = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, C) to the same shape."""
        mixed = self.norm(self.dwconv(x.transpose(1, 2)).transpose(1, 2))
        update: Tensor = self.pwconv2(self.grn(functional.gelu(self.pwconv1(mixed))))
        return x + update


class TokenEmbedding(nn.Module):
    """Embeds speech tokens with their neighbours at the frame rate of the mel."""

    def __init__(self, rows: int, channels: int, blocks: int) -> None:
        super().__init__()
        self.text_embed = nn.Embedding(rows, channels)
        self.text_blocks = nn.ModuleList(
            ConvNeXtBlock(channels, 2 * channels) for _ in range(blocks)
        )

    def forward(self, tokens: Tensor, frames: int) -> Tensor:
        """Embed token ids (B, N) as (B, T, C), every token stretched over its frames."""
        index = torch.arange(frames, device=tokens.device) * tokens.shape[1] // frames
        x: Tensor = self.text_embed(tokens[:, index])
        x = x + _token_positions(frames, x.shape[2], x.device)
        for block in self.text_blocks:
            x = block(x)
        return x


def _token_positions(frames: int, channels: int, device: torch.device) -> Tensor:
    """Return the sinusoidal position table (T, C): cosines, then sines."""
    exponents = torch.arange(0, channels, 2, dtype=torch.float32, device=device) / channels
    positions = torch.arange(frames, dtype=torch.float32, device=device)
    angles = torch.outer(positions.clamp(max=_TOKEN_POSITIONS - 1), 10_000.0**-exponents)
    return torch.cat((angles.cos(), angles.sin()), dim=1)


class PositionConvolution(nn.Module):
    """Two grouped convolutions over time that encode the position of a frame."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1d = nn.Sequential(
            *(layer for _ in range(2) for layer in (self._convolution(width), nn.Mish()))
        )

    @staticmethod
    def _convolution(width: int) -> nn.Conv1d:
        return nn.Conv1d(
            width,
            width,
            _POSITION_KERNEL,
            padding=_POSITION_KERNEL // 2,
            groups=_POSITION_GROUPS,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, W) to the same shape."""
        convolved: Tensor = self.conv1d(x.transpose(1, 2))
        return convolved.transpose(1, 2)


class InputProjection(nn.Module):
    """Projects noisy mel, known mel and token embedding to the width."""

    def __init__(self, mel_bins: int, token_channels: int, width: int) -> None:
        super().__init__()
        self.mel_bins = mel_bins
        self.proj = nn.Linear(2 * mel_bins + token_channels, width)
        self.conv_pos_embed = PositionConvolution(width)

    def fixed_part(self, known_mel: Tensor, tokens: Tensor) -> Tensor:
        """Project the inputs that all steps share: (B, T, mel) and (B, T, C) to (B, T, W)."""
        fixed = torch.cat((known_mel, tokens), dim=2)
        return functional.linear(fixed, self.proj.weight[:, self.mel_bins :], self.proj.bias)

    def forward(self, x: Tensor, fixed: Tensor) -> Tensor:
        """Add the projection of the noisy mel (1, T, mel) to the fixed part (B, T, W)."""
        projected = functional.linear(x, self.proj.weight[:, : self.mel_bins]) + fixed
        positioned: Tensor = self.conv_pos_embed(projected)
        return projected + positioned


class RotaryEmbedding(nn.Module):
    """Rotation of neighbouring channels by an angle that grows with the position."""

    inv_freq: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("inv_freq", torch.empty(channels // 2))

    def forward(self, frames: int) -> tuple[Tensor, Tensor]:
        """Return cosines and sines, each (T, channels / 2)."""
        positions = torch.arange(frames, dtype=torch.float32, device=self.inv_freq.device)
        angles = torch.outer(positions, self.inv_freq)
        return angles.cos(), angles.sin()


def rotate_first_head(heads: Tensor, rotation: tuple[Tensor, Tensor]) -> None:
    """Rotate the first head of (B, T, heads, channels) in place.

    Only the first: the network was trained with a rotation of one head's width, applied before the
    split into heads, so that the other heads have no positions.
    """
    cos, sin = rotation
    first = heads[:, :, 0]
    even, odd = first[..., 0::2].float(), first[..., 1::2].float()
    first.copy_(torch.stack((even * cos - odd * sin, odd * cos + even * sin), -1).flatten(-2))


class Attention(nn.Module):
    """Attention over all frames, or those that a mask allows."""

    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.heads = heads
        # the checkpoint's to_q, to_k and to_v stacked: one matrix product instead of three
        self.to_qkv = CastingLinear(width, 3 * heads * head_width)
        self.to_out = nn.ModuleList([CastingLinear(heads * head_width, width)])

    def forward(
        self, x: Tensor, rotation: tuple[Tensor, Tensor], mask: Tensor | None = None
    ) -> Tensor:
        """Map (B, T, W) to the same shape; ``mask`` (T, T) is true where a row may attend."""
        batch, frames, _ = x.shape
        query, key, value = self.to_qkv(x).view(batch, frames, 3, self.heads, -1).unbind(2)
        rotate_first_head(query, rotation)
        rotate_first_head(key, rotation)
        attended = functional.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attn_mask=mask
        )
        out: Tensor = self.to_out[0](attended.transpose(1, 2).reshape(batch, frames, -1))
        return out


class FeedForward(nn.Module):
    """Two layers with a GELU (tanh form) between."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        # the checkpoint has a dropout between the two, which inference does not need
        self.ff = nn.Sequential(
            nn.Sequential(CastingLinear(width, hidden), nn.GELU(approximate="tanh")),
            nn.Identity(),
            CastingLinear(hidden, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, W) to the same shape."""
        out: Tensor = self.ff(x)
        return out


class Modulation(nn.Module):
    """Computes shifts, scales and gates of one norm from time and speaker."""

    def __init__(self, condition: int, width: int, count: int) -> None:
        super().__init__()
        self.count = count
        self.linear = CastingLinear(condition, count * width)

    def forward(self, condition: Tensor) -> Tensor:
        """Map an activated condition (B, W + speaker) to float32 (B, count, 1, W)."""
        values: Tensor = self.linear(condition).float()
        return values.view(condition.shape[0], self.count, 1, -1)


class TransformerBlock(nn.Module):
    """Attention and feed-forward, each after a norm modulated by time and speaker."""

    def __init__(
        self, width: int, heads: int, head_width: int, hidden: int, condition: int
    ) -> None:
        super().__init__()
        self.attn_norm = Modulation(condition, width, BLOCK_MODULATIONS)
        self.attn = Attention(width, heads, head_width)
        self.ff = FeedForward(width, hidden)

    def forward(
        self,
        x: Tensor,
        modulation: Tensor,
        rotation: tuple[Tensor, Tensor],
        mask: Tensor | None = None,
    ) -> Tensor:
        """Change float32 ``x`` (B, T, W) in place by this block's modulation (B, 6, 1, W)."""
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = modulation.unbind(1)
        attended = self.attn(modulated_norm(x, shift_a, scale_a), rotation, mask)
        x.addcmul_(gate_a, attended.float())
        fed = self.ff(modulated_norm(x, shift_m, scale_m))
        return x.addcmul_(gate_m, fed.float())


def modulated_norm(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Normalise (B, T, W) over the width, then scale by 1 + scale and shift, each (B, 1, W)."""
    normed = functional.layer_norm(x, x.shape[-1:], eps=_NORM_EPSILON)
    return normed.mul_(1.0 + scale).add_(shift)
