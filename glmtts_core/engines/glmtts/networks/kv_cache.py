"""Keys and values of the language model: the cache of a sentence, and a prefix that may be kept.

Knows nothing about what the tokens mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


class KVCache:
    """Room for the keys and values of all layers, allocated once and written in place.

    Args:
        layers: of the network.
        heads: key and value heads of a layer.
        head_dim: values of a head.
        capacity: positions.
        rope_theta: base of the rotary frequencies.
        device: of its tensors.
        dtype: of keys and values.
    """

    def __init__(
        self,
        *,
        layers: int,
        heads: int,
        head_dim: int,
        capacity: int,
        rope_theta: float,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.capacity = capacity
        # zeros: masked positions must be finite too
        self.keys_values = torch.zeros(
            (layers, 2, heads, capacity, head_dim), dtype=dtype, device=device
        )
        self.cos, self.sin = _rotary_tables(capacity, head_dim, rope_theta, device)

    @property
    def nbytes(self) -> int:
        """Bytes of all its tensors."""
        return self.keys_values.nbytes + self.cos.nbytes + self.sin.nbytes

    def layers(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield each layer's keys and values, each of shape (heads, capacity, head_dim)."""
        for layer in self.keys_values.unbind(0):
            yield layer[0], layer[1]

    def copy_of(self, length: int) -> Tensor:
        """Return the first ``length`` positions, shape (layers, 2, heads, length, head_dim)."""
        return self.keys_values[:, :, :, :length].clone()

    def restore(self, kept: Tensor) -> None:
        """Restore what `copy_of` returned."""
        self.keys_values[:, :, :, : kept.shape[3]].copy_(kept)


@dataclass(frozen=True)
class KVPrefix:
    """Keys and values of leading segments of a prompt.

    Attributes:
        segments: the ids of each, in order.
        keys_values: shape (layers, 2, heads, positions, head_dim).
    """

    segments: tuple[tuple[int, ...], ...]
    keys_values: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor."""
        return self.keys_values.nbytes

    def shared_segments(self, segments: tuple[tuple[int, ...], ...]) -> int:
        """Return how many leading segments are the same, id by id."""
        count = 0
        for mine, theirs in zip(self.segments, segments, strict=False):
            if mine != theirs:
                break
            count += 1
        return count

    def length(self, segments: int) -> int:
        """Return the positions that the first ``segments`` take."""
        return sum(len(each) for each in self.segments[:segments])


def _rotary_tables(
    positions: int, head_dim: int, theta: float, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return cosines and sines of Llama's rotary angles, float32, each (positions, head_dim).

    Channel j and channel j + head_dim / 2 form a pair and share the angle
    position * theta ** (-2j / head_dim).
    """
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float32, device=device) / head_dim
    frequencies = 1.0 / theta**exponents
    angles = torch.outer(
        torch.arange(positions, dtype=torch.float32, device=device), frequencies
    ).repeat(1, 2)
    return angles.cos(), angles.sin()
