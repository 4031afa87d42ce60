"""Which errors spoil a process for ever."""

from __future__ import annotations

import pytest

from glmtts_core.engines.host.spoilt import is_spoilt
from glmtts_core.errors import EngineError

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: an illegal memory access was encountered",
        "CUDA error: device-side assert triggered",
        "CUDA error: unspecified launch failure",
        "CUDA error: uncorrectable ECC error encountered",
        "cuda error: the launch timed out and was terminated",
    ],
)
@pytest.mark.parametrize("kind", [RuntimeError, torch.AcceleratorError])
def test_an_error_that_sticks_to_the_context_spoils(kind, words):
    assert is_spoilt(kind(words))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        torch.AcceleratorError("CUDA error: out of memory"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: invalid argument"),
        RuntimeError("CUDA error: operation not supported"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        ValueError("CUDA error: as a user's text says"),
        EngineError("engine.unexpected", reason="CUDA error: told by another"),
        MemoryError(),
        KeyboardInterrupt(),
    ],
    ids=repr,
)
def test_an_error_after_which_the_device_goes_on_does_not(error):
    assert not is_spoilt(error)


def fail(error: BaseException) -> None:
    raise error


def caught(error: BaseException, *, explicit: bool) -> BaseException:
    """Return ``error`` as it is when it was raised because of, or amid, one of CUDA."""
    try:
        try:
            fail(RuntimeError("CUDA error: device-side assert triggered"))
        except RuntimeError as first:
            raise error from (first if explicit else None)
    except BaseException as last:  # noqa: BLE001
        return last


@pytest.mark.parametrize("explicit", [True, False], ids=["cause", "context"])
def test_what_an_error_comes_from_counts(explicit):
    assert is_spoilt(caught(EngineError("engine.unexpected", reason="x"), explicit=explicit))


def test_a_ring_of_causes_is_gone_round_once():
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert not is_spoilt(one)
