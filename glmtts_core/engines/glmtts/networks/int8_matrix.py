"""Weight matrices as 8-bit integers with one scale a row, for products on the CPU.

Decoding is limited by reading the weights, and these are a quarter of the bytes of float32. Knows
nothing about networks.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

#: Largest magnitude of a value; -128 is unused, so that the range is symmetric.
LARGEST: Final = 127
#: From this many input rows on, float32 copies of a block of rows are faster: measured with AVX2.
_MANY_ROWS: Final = 24
#: Rows of a copied block, which fits into the processor's cache.
_BLOCK_ROWS: Final = 512


class Int8Matrix(nn.Module):
    """A matrix of shape (rows, columns) that multiplies like a linear layer without bias.

    The products of a few inputs are computed in bfloat16, those of many in float32.

    Args:
        columns: values of an input.
        rows: values of an output.
    """

    weight: Tensor
    scale: Tensor

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.empty((rows, columns), dtype=torch.int8))
        self.register_buffer("scale", torch.empty(rows))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the products with all rows, float32.

        Args:
            inputs: float32, shape (inputs, columns).
        """
        return self.product(inputs, 0, len(self.weight))

    def product(self, inputs: Tensor, first: int, end: int) -> Tensor:
        """Return the products with the rows ``first`` to ``end`` (not included), float32.

        Args:
            inputs: float32, shape (inputs, columns).
            first: the first row.
            end: the row after the last.
        """
        weight, scale = self.weight[first:end], self.scale[first:end]
        if len(inputs) < _MANY_ROWS:
            product = torch.ops.aten._weight_int8pack_mm
            out: Tensor = product(inputs.bfloat16(), weight, scale.bfloat16())
            return out.float()
        products = torch.empty((len(inputs), len(weight)), device=inputs.device)
        for start in range(0, len(weight), _BLOCK_ROWS):
            block = weight[start : start + _BLOCK_ROWS].float()
            products[:, start : start + _BLOCK_ROWS] = inputs @ block.T
        return products.mul_(scale)

    def rows_of(self, ids: Tensor) -> Tensor:
        """Return the rows of ``ids`` (int64, shape (count,)), float32, shape (count, columns)."""
        return self.weight[ids].float() * self.scale[ids, None]


def quantized(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Round ``matrix`` (rows, columns); return int8 values and the scale of each row, float32.

    The scales are exact in bfloat16, so that rounding them loses nothing in a product.
    """
    values = torch.empty(matrix.shape, dtype=torch.int8)
    scales = torch.empty(len(matrix))
    for start in range(0, len(matrix), _BLOCK_ROWS):
        block = matrix[start : start + _BLOCK_ROWS].float()
        largest = block.abs().amax(dim=1)
        # a row of zeros needs a scale other than zero
        largest = torch.where(largest == 0, 1.0, largest)
        scale = (largest / LARGEST).bfloat16().float()
        rounded = (block / scale[:, None]).round().clamp(-LARGEST, LARGEST)
        values[start : start + _BLOCK_ROWS] = rounded.to(torch.int8)
        scales[start : start + _BLOCK_ROWS] = scale
    return values, scales
