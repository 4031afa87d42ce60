"""Precision follows what the device is made for."""

from __future__ import annotations

import pytest
import torch

from glmtts_core.engines.glmtts.precision import (
    Precisions,
    bfloat16_instructions,
    has_fast_bfloat16,
)
from glmtts_core.settings import Settings

CPU = torch.device("cpu")


def test_integers_are_for_the_cpu_alone():
    assert Precisions(int8=True).language_model_dtype(CPU) == torch.int8
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glmtts_core.engines.glmtts.precision.has_fast_bfloat16", lambda _: True)
        assert Precisions(int8=True).language_model_dtype(torch.device("cuda")) == torch.bfloat16


def test_a_processor_without_bfloat16_computes_in_float32() -> None:
    assert has_fast_bfloat16(CPU) == bool(bfloat16_instructions())
    fast = has_fast_bfloat16(CPU)
    assert Precisions().language_model_dtype(CPU) == (torch.bfloat16 if fast else torch.float32)
    assert Precisions().flow_precision(CPU) == ("mixed" if fast else "float32")


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("wanted", ["float32", "mixed"])
def test_what_is_wanted_of_the_flow_goes_before_what_the_device_is_made_for(
    monkeypatch: pytest.MonkeyPatch, fast: bool, wanted: str
) -> None:
    monkeypatch.setattr("glmtts_core.engines.glmtts.precision.has_fast_bfloat16", lambda _: fast)
    assert Precisions().flow_precision(CPU) == ("mixed" if fast else "float32")
    assert Precisions(flow=wanted).flow_precision(CPU) == wanted


def test_the_settings_say_what_is_wanted(settings: Settings) -> None:
    assert Precisions.of(settings) == Precisions()
    asked = settings.model_copy(update={"language_model_int8": True, "flow_precision": "float32"})
    assert Precisions.of(asked) == Precisions(int8=True, flow="float32")
