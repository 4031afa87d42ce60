"""Which of the driver's figures and names are plausible."""

from __future__ import annotations

from typing import Any, Final

from glmtts_core.message import Message

#: NVML_VALUE_NOT_AVAILABLE of nvml.h: all bits of an unsigned 64-bit figure.
_NOT_AVAILABLE: Final = 2**64 - 1
#: No GPU has as much memory: what is above is not believed.
_MOST_BYTES: Final = 2**50


def memory(info: Any, index: int) -> tuple[int | None, int | None, Message | None]:
    """Return (used, total) of NVML's memory structure in bytes, and why one is unknown."""
    used, total = int(info.used), int(info.total)
    if _NOT_AVAILABLE in (used, total):
        message = Message("memory.nvml.memory_not_supported", {"index": index})
    else:
        details = {"index": index, "used": used, "total": total}
        message = Message("memory.nvml.memory_implausible", details)
    if not 0 < total <= _MOST_BYTES:
        return None, None, message
    if not is_plausible(used, total):
        return None, total, message
    return used, total, None


def is_plausible(used: int, total: int | None) -> bool:
    """Return whether ``used`` bytes can be in use on a card of ``total`` bytes."""
    return 0 <= used <= (_MOST_BYTES if total is None else total)


def words(answer: Any) -> str | None:
    """Return a name, UUID or version as one line of text; None where it is empty."""
    given = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    printable = "".join(char if char.isprintable() else " " for char in given)
    return " ".join(printable.split()) or None
