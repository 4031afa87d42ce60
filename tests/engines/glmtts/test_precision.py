"""Precision follows what the device is made for."""

from __future__ import annotations

import torch

from glmtts_core.engines.glmtts.precision import (
    bfloat16_instructions,
    flow_precision,
    has_fast_bfloat16,
    language_model_dtype,
)

CPU = torch.device("cpu")


def test_a_processor_without_bfloat16_computes_in_float32() -> None:
    assert has_fast_bfloat16(CPU) == bool(bfloat16_instructions())
    fast = has_fast_bfloat16(CPU)
    assert language_model_dtype(CPU) == (torch.bfloat16 if fast else torch.float32)
    assert flow_precision(CPU) == ("mixed" if fast else "float32")
