"""Errors after which a process can compute nothing any more, and only its end helps."""

from __future__ import annotations

import sys
from typing import Final

#: How CUDA's errors begin, and the one that leaves the device usable (CUDA's programming guide,
#: asynchronous errors: all others but those of a wrong call stick to the context).
_CUDA: Final = ("cuda error", "cuda driver error", "cudnn error", "cublas error", "nccl error")
_HARMLESS: Final = (
    "out of memory", "alloc_failed", "invalid argument", "invalid device", "not supported",
    "no kernel image", "driver version is insufficient",
)  # fmt: skip


def is_spoilt(error: BaseException) -> bool:
    """Whether ``error``, or what it comes from, is a CUDA error that every later call repeats."""
    looked_at: list[BaseException] = []
    seen: BaseException | None = error
    while seen is not None and seen not in looked_at:
        words = str(seen).lower()
        if _of_cuda(seen, words) and not any(each in words for each in _HARMLESS):
            return True
        looked_at.append(seen)
        seen = seen.__cause__ or seen.__context__
    return False


def _of_cuda(error: BaseException, words: str) -> bool:
    torch = sys.modules.get("torch")
    accelerator = getattr(torch, "AcceleratorError", None)
    if accelerator is not None and isinstance(error, accelerator):
        return True
    return isinstance(error, RuntimeError) and any(each in words for each in _CUDA)
