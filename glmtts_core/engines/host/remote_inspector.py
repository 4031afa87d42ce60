"""Looks into an engine's process from outside: asks, and reads the answers."""

from __future__ import annotations

from typing import Final

from glmtts_core.engines.host.answers import CENSUS, HEAP, PICTURE
from glmtts_core.engines.host.engine_process import EngineProcess
from glmtts_core.engines.host.protocol import Question
from glmtts_core.files import scratch_folder
from glmtts_core.memory.allocator_picture import AllocatorPicture
from glmtts_core.memory.census import Counted
from glmtts_core.memory.process_memory import HeapReading

#: Seconds for answers that take their time: a history has a hundred thousand entries.
_SLOW_S: Final = 60.0
#: Seconds that a page waits for the others.
_QUICK_S: Final = 2.0


class RemoteInspector:
    """Looks into an engine's process.

    Args:
        process: the process.
        engine: the engine's name.
    """

    def __init__(self, process: EngineProcess, engine: str) -> None:
        self._process = process
        self._engine = engine

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def engine(self) -> str:
        """The engine's name."""
        return self._engine

    def heap(self) -> HeapReading | None:
        """Return the figures of the C heap."""
        return HEAP.validate_python(self._process.ask(Question.HEAP, timeout_s=_QUICK_S))

    def census(self) -> tuple[Counted, ...] | None:
        """Return what exists there, counted."""
        return CENSUS.validate_python(self._process.ask(Question.CENSUS, timeout_s=_SLOW_S))

    def picture(self) -> AllocatorPicture | None:
        """Return segments and blocks of torch's allocator."""
        return PICTURE.validate_python(self._process.ask(Question.PICTURE, timeout_s=_QUICK_S))

    def record_history(self, *, on: bool) -> bool:
        """Start or stop recording the allocator's calls."""
        return bool(self._process.ask(Question.RECORD if on else Question.STOP_RECORDING))

    def full_snapshot(self) -> bytes | None:
        """Return the snapshot for PyTorch's viewer; nothing unpickles it here."""
        with scratch_folder() as folder:
            file = folder / "snapshot.pickle"
            if not self._process.ask(Question.SNAPSHOT, str(file), timeout_s=_SLOW_S):
                return None
            return file.read_bytes()
