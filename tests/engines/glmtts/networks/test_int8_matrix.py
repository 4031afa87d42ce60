"""Matrices of 8-bit integers: rounded as little as can be, multiplied as whole ones are."""

from __future__ import annotations

import pytest
import torch

from glmtts_core.engines.glmtts.networks.int8_matrix import Int8Matrix, quantized

ROWS, COLUMNS = 1100, 96


@pytest.fixture(scope="module")
def whole() -> torch.Tensor:
    return torch.randn(ROWS, COLUMNS, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def matrix(whole) -> Int8Matrix:
    made = Int8Matrix(COLUMNS, ROWS)
    made.weight, made.scale = quantized(whole)
    return made


def decibel(expected: torch.Tensor, seen: torch.Tensor) -> float:
    """The expected power over that of the error."""
    error = (seen - expected).square().mean()
    return float(10 * torch.log10(expected.square().mean() / error))


def test_no_value_is_further_off_than_half_a_step(whole, matrix):
    error = matrix.rows_of(torch.arange(ROWS)) - whole
    # the scale itself is rounded, so the outermost value may be cut by its 256th part
    outermost = whole.abs().amax(dim=1, keepdim=True) / 256
    assert (error.abs() <= torch.maximum(matrix.scale[:, None] / 2, outermost) + 1e-6).all()


def test_the_scales_lose_nothing_in_bfloat16(matrix):
    assert torch.equal(matrix.scale, matrix.scale.bfloat16().float())


def test_a_row_of_zeros_stays_zeros():
    values, scales = quantized(torch.zeros(2, 8))
    assert not values.any()
    assert torch.isfinite(scales).all()


@pytest.mark.parametrize("inputs", [1, 5, 23, 24, 100])
def test_products_are_those_of_the_whole_matrix_but_for_the_rounding(whole, matrix, inputs):
    given = torch.randn(inputs, COLUMNS, generator=torch.Generator().manual_seed(2))
    products = matrix(given)
    assert products.dtype == torch.float32
    assert products.shape == (inputs, ROWS)
    assert decibel(given @ whole.T, products) > 38.0


@pytest.mark.parametrize("inputs", [1, 40])
def test_a_part_of_the_rows_multiplies_alone(matrix, inputs):
    given = torch.randn(inputs, COLUMNS, generator=torch.Generator().manual_seed(3))
    part = matrix.product(given, 600, 1050)
    torch.testing.assert_close(part, matrix(given)[:, 600:1050])
