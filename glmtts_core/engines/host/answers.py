"""Answers to questions about an engine's process, as plain values; given there, read here.

Only the snapshot, which is for PyTorch's viewer, is a file: nothing of ours reads it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from glmtts_core.engines.host.protocol import Ask, Question
from glmtts_core.memory.allocator import allocator_for
from glmtts_core.memory.allocator_picture import AllocatorPicture
from glmtts_core.memory.census import Counted
from glmtts_core.memory.inspector import OwnInspector
from glmtts_core.memory.process_memory import HeapReading

HEAP: Final[TypeAdapter[HeapReading | None]] = TypeAdapter(HeapReading | None)
CENSUS: Final[TypeAdapter[tuple[Counted, ...] | None]] = TypeAdapter(tuple[Counted, ...] | None)
PICTURE: Final[TypeAdapter[AllocatorPicture | None]] = TypeAdapter(AllocatorPicture | None)


def answer(ask: Ask, device: str) -> Any:
    """Answer a question in the engine's process, as a plain value.

    Args:
        ask: the question.
        device: where the engine computes.
    """
    inspector = OwnInspector(device)
    value: Any = None
    match ask.question:
        case Question.RESET_PEAK:
            allocator_for(device).reset_peak()
        case Question.PEAK:
            value = allocator_for(device).peak_allocated_bytes()
        case Question.HEAP:
            value = HEAP.dump_python(inspector.heap(), mode="json")
        case Question.CENSUS:
            value = CENSUS.dump_python(inspector.census(), mode="json")
        case Question.PICTURE:
            value = PICTURE.dump_python(inspector.picture(), mode="json")
        case Question.RECORD | Question.STOP_RECORDING:
            value = inspector.record_history(on=ask.question is Question.RECORD)
        case Question.SNAPSHOT:
            value = _written(inspector.full_snapshot(), Path(ask.argument))
    return value


def _written(snapshot: bytes | None, file: Path) -> bool:
    if snapshot is None:
        return False
    file.write_bytes(snapshot)
    return True
