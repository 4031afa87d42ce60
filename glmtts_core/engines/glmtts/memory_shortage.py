"""Recognises "out of memory" among other errors, and reads how much memory is free.

An exception's traceback keeps every tensor of its frames alive, so only plain numbers are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import psutil
import torch

from glmtts_core.byte_units import GIB, MIB
from glmtts_core.errors import OutOfMemoryError

#: How a failed allocation reads on the host and in CUDA's libraries.
_WORDS: Final = ("allocate memory", "not enough memory", "out of memory", "alloc_failed")
_WANTED: Final = re.compile(r"allocate ([\d.]+) ?(bytes|KiB|MiB|GiB)")
_UNITS: Final = {"bytes": 1, "KiB": 2**10, "MiB": MIB, "GiB": GIB}


@dataclass(frozen=True, slots=True)
class MemoryShortage:
    """An allocation that failed.

    Attributes:
        wanted_bytes: size of the allocation; 0 where the message does not contain it.
    """

    wanted_bytes: int


def shortage_of(error: BaseException) -> MemoryShortage | None:
    """Return the failed allocation behind ``error``; None for other errors."""
    message = str(error)
    known = isinstance(error, torch.OutOfMemoryError | MemoryError | OutOfMemoryError)
    if not known and not (
        isinstance(error, RuntimeError) and any(word in message.lower() for word in _WORDS)
    ):
        return None
    found = _WANTED.search(message)
    return MemoryShortage(int(float(found[1]) * _UNITS[found[2]]) if found else 0)


def free_bytes(device: torch.device) -> int:
    """Return the free memory of a GPU, or the available memory of the host."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        reserved = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + reserved)
    return int(psutil.virtual_memory().available)
