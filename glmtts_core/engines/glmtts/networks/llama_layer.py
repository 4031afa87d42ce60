"""One layer of the Llama network, over a preallocated cache."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from glmtts_core.engines.glmtts.networks.int8_matrix import Int8Matrix


class LlamaLayer(nn.Module):
    """Attention and feed-forward with their norms before them.

    Args:
        size: channels between the layers.
        inner: channels of the feed-forward part.
        heads: query heads.
        kv_heads: key and value heads.
        width: values of a head.
        epsilon: of the norms.
        int8: whether the matrices are 8-bit integers.
    """

    def __init__(
        self,
        *,
        size: int,
        inner: int,
        heads: int,
        kv_heads: int,
        width: int,
        epsilon: float,
        int8: bool = False,
    ) -> None:
        super().__init__()
        self._heads = heads
        self._kv_heads = kv_heads
        self._width = width
        self._scale = width**-0.5
        self.input_layernorm = nn.RMSNorm(size, epsilon)
        rows = (self._heads + 2 * self._kv_heads) * width
        self.qkv_proj = _matrix(size, rows, int8)
        self.o_proj = _matrix(self._heads * width, size, int8)
        self.post_attention_layernorm = nn.RMSNorm(size, epsilon)
        self.gate_up_proj = _matrix(size, 2 * inner, int8)
        self.down_proj = _matrix(inner, size, int8)

    def prefill(
        self,
        hidden: Tensor,
        rotary: tuple[Tensor, Tensor],
        keys: Tensor,
        values: Tensor,
        mask: Tensor | None,
    ) -> Tensor:
        """Process several tokens (tokens, size) and store their keys and values.

        Args:
            hidden: the input, shape (tokens, size).
            rotary: cosines and sines, each of shape (tokens, 1, width).
            keys: the earlier ones and room for the new ones, shape (kv_heads, positions, width).
            values: likewise.
            mask: bool, shape (tokens, positions); None where the cache was empty before.
        """
        count = len(hidden)
        queries, new_keys, new_values = self._projected(hidden, rotary)
        keys[:, -count:] = new_keys.transpose(0, 1)
        values[:, -count:] = new_values.transpose(0, 1)
        attended = functional.scaled_dot_product_attention(
            queries.transpose(0, 1)[None],
            keys[None],
            values[None],
            attn_mask=mask,
            is_causal=mask is None,
            enable_gqa=True,
        )
        return self._finished(hidden, attended[0].transpose(0, 1).reshape(count, -1))

    def step(
        self,
        hidden: Tensor,
        rotary: tuple[Tensor, Tensor],
        position: Tensor,
        keys: Tensor,
        values: Tensor,
        length: int | None,
        hidden_ahead: Tensor | None,
    ) -> Tensor:
        """Process one token, shape (1, size), and store its key and value.

        Args:
            hidden: the input.
            rotary: cosines and sines, each of shape (1, 1, width).
            position: int64, shape (1,).
            keys: the whole cache, shape (kv_heads, capacity, width).
            values: likewise.
            length: number of positions to read; None for all.
            hidden_ahead: added to the scores where all are read, shape (capacity,).
        """
        queries, new_keys, new_values = self._projected(hidden, rotary)
        keys.index_copy_(1, position, new_keys.transpose(0, 1))
        values.index_copy_(1, position, new_values.transpose(0, 1))
        if length is not None:
            keys, values = keys[:, :length], values[:, :length]
        # the query heads of one key head side by side: nothing has to be repeated
        grouped = queries.view(self._kv_heads, -1, self._width)
        scores = product_float32(grouped, keys.transpose(1, 2)) * self._scale
        if hidden_ahead is not None:
            scores = scores + hidden_ahead
        weights = torch.softmax(scores, dim=-1).to(values.dtype)
        return self._finished(hidden, torch.matmul(weights, values).view(1, -1))

    def _projected(
        self, hidden: Tensor, rotary: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return rotated queries and keys, and values, each of shape (tokens, heads, width)."""
        projected = self.qkv_proj(self.input_layernorm(hidden)).view(len(hidden), -1, self._width)
        rotating = self._heads + self._kv_heads
        rotated = _rotated(projected[:, :rotating], *rotary)
        return rotated[:, : self._heads], rotated[:, self._heads :], projected[:, rotating:]

    def _finished(self, hidden: Tensor, attended: Tensor) -> Tensor:
        hidden = hidden + self.o_proj(attended)
        gate, up = self.gate_up_proj(self.post_attention_layernorm(hidden)).chunk(2, dim=-1)
        out: Tensor = hidden + self.down_proj(functional.silu(gate) * up)
        return out


def _matrix(columns: int, rows: int, int8: bool) -> nn.Module:
    return Int8Matrix(columns, rows) if int8 else nn.Linear(columns, rows, bias=False)


def product_float32(left: Tensor, right: Tensor) -> Tensor:
    """Return the matrix product in float32, whatever the factors are.

    On CUDA it is never rounded to bfloat16, by which logits would differ by up to an eighth; a CPU
    has no such product.
    """
    if left.dtype == torch.float32:
        return torch.matmul(left, right)
    if left.device.type == "cuda":
        product = torch.mm if left.dim() == 2 else torch.bmm
        return product(left, right, out_dtype=torch.float32)
    return torch.matmul(left, right).float()


def _rotated(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the pairs (j, j + width / 2) of ``heads``, shape (tokens, heads, width)."""
    first, second = heads.float().chunk(2, dim=-1)
    turned = torch.cat([-second, first], dim=-1)
    return (heads * cos + turned * sin).to(heads.dtype)
