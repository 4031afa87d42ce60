"""What ONNX Runtime says in its own words, told in ours."""

from __future__ import annotations

import pytest

from glmtts_core.engines.kokoro.network import _wrapped
from glmtts_core.errors import EngineError, OutOfMemoryError

OTHERWISE = EngineError("kokoro.run_failed", reason="x")


@pytest.mark.parametrize(
    ("said", "requested_bytes"),
    [
        ("Failed to allocate memory for requested buffer of size 1234567", 1_234_567),
        ("std::bad_alloc", None),
        ("out of memory", None),
    ],
)
def test_an_allocation_that_failed_is_known_with_its_size_where_it_is_told(said, requested_bytes):
    error = _wrapped(RuntimeError(said), OTHERWISE)
    assert isinstance(error, OutOfMemoryError)
    assert error.requested_bytes == requested_bytes


def test_any_other_fault_stays_what_it_is():
    assert _wrapped(RuntimeError("invalid shape"), OTHERWISE) is OTHERWISE
