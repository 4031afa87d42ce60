"""Whether PyTorch can compute on the device that the driver proposed."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch

from glmtts_core.engines.glmtts.memory_shortage import shortage_of
from glmtts_core.errors import EngineError, OutOfMemoryError
from glmtts_core.message import Message

#: Where a sentence ends and another one begins.
_SENTENCE_END = re.compile(r"\.(?=\s+[A-Z])")


@dataclass(frozen=True, slots=True)
class ConfirmedDevice:
    """Where PyTorch computes, and why that is the CPU, where a GPU was proposed."""

    device: torch.device
    message: Message | None = None


def compute_once(device: torch.device) -> None:
    """Compute something on ``device``; opens its CUDA context."""
    torch.ones(1, device=device).add_(1).item()


def confirm_device(
    device: torch.device,
    setting: str,
    compute: Callable[[torch.device], None] = compute_once,
) -> ConfirmedDevice:
    """Return ``device`` if PyTorch can compute there, else the CPU with the reason.

    Args:
        device: what was proposed.
        setting: ``GLMTTS_DEVICE``; only auto allows the CPU instead.
        compute: raises where ``device`` cannot compute.

    Raises:
        EngineError: a GPU was asked for by name and PyTorch cannot use it.
        OutOfMemoryError: the GPU is too full for the test.
    """
    if device.type == "cpu":
        return ConfirmedDevice(device)
    try:
        with warnings.catch_warnings():
            # warnings about an unfit GPU repeat what the error says
            warnings.simplefilter("ignore")
            compute(device)
    except Exception as error:
        # RuntimeError, AssertionError, OSError, torch's own: every defect raises another one
        if shortage_of(error) is not None:
            raise OutOfMemoryError("engine.out_of_memory") from error
        reason = _first_sentence(error)
    else:
        return ConfirmedDevice(device)
    return _without_gpu(device, setting, reason)


def _without_gpu(device: torch.device, setting: str, reason: str) -> ConfirmedDevice:
    has_cuda: bool = torch.backends.cuda.is_built()  # type: ignore[no-untyped-call]
    if setting != "auto" and has_cuda:
        raise EngineError("glmtts.gpu_unusable", setting=setting, reason=reason)
    if setting != "auto":
        raise EngineError("glmtts.no_cuda_build", setting=setting)
    if has_cuda:
        details = {"device": str(device), "reason": reason}
        message = Message("glmtts.cpu_gpu_unusable", details)
    else:
        message = Message("glmtts.cpu_no_cuda_build")
    return ConfirmedDevice(torch.device("cpu"), message)


def _first_sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return _SENTENCE_END.split(lines[0])[0].rstrip(".").strip()
