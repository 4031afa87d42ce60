"""What a line is told that did not fit into the memory, however much was released before."""

from __future__ import annotations

from typing import Final

from glmtts_core.byte_units import MIB
from glmtts_core.errors import EngineProcessError, OutOfMemoryError
from glmtts_core.memory.cost import MemoryCost
from glmtts_core.message import Message

#: After these a line is spoken once more, with everything idle released or in a new process.
FROM_CLEAN_STATE: Final = (OutOfMemoryError, EngineProcessError)


def out_of_memory_reason(error: OutOfMemoryError, memory: MemoryCost | None) -> Message:
    """Say how much the line had taken when memory ran out, and what was still missing.

    Args:
        error: of the second attempt, which began with everything idle released.
        memory: what that attempt cost; None where it was not measured.
    """
    if memory is None:
        return error.message.plain()
    taken = {
        "taken": _mib(memory.peak_bytes - memory.before_bytes),
        "before": _mib(memory.before_bytes),
    }
    if error.requested_bytes is None:
        return Message("batch.run.line_out_of_memory", taken)
    missing = _mib(error.requested_bytes)
    return Message("batch.run.line_out_of_memory_block", {**taken, "missing": missing})


def _mib(size_bytes: int) -> str:
    return f"{max(0, size_bytes) / MIB:,.0f} MiB"
