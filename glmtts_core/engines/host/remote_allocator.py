"""The tensor allocators of engines' processes, together, with the interface of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from glmtts_core.engines.host.mirror import Mirror
from glmtts_core.engines.host.protocol import Question
from glmtts_core.engines.host.remote_engine import RemoteEngine
from glmtts_core.errors import EngineProcessError, OutOfMemoryError
from glmtts_core.memory.allocator import AllocatorReading
from glmtts_core.memory.system import malloc_trim


class RemoteAllocator:
    """The allocators of all engines on one device; a device without any has allocated nothing.

    Args:
        engines: returns the engines on the device.
        on_cuda: whether the device has figures at all.
    """

    def __init__(self, engines: Callable[[], Sequence[RemoteEngine]], *, on_cuda: bool) -> None:
        self._engines = engines
        self._on_cuda = on_cuda

    def read(self) -> AllocatorReading:
        """Return the sums of what the processes have told last."""
        if not self._on_cuda:
            return AllocatorReading(None, None, None)
        readings = [each.reading for each in self._mirrors()]
        return AllocatorReading(
            sum(each.allocated_bytes or 0 for each in readings),
            sum(each.reserved_bytes or 0 for each in readings),
            sum(each.reclaimable_bytes or 0 for each in readings),
        )

    def peak_allocated_bytes(self) -> int | None:
        """Return the sum of the processes' peaks since `reset_peak`."""
        if not self._on_cuda:
            return None
        return sum(int(peak or 0) for peak in self._ask(Question.PEAK))

    def device_uuid(self) -> str | None:
        """The device's UUID, None while no process has opened it."""
        return next((each.figures.uuid for each in self._mirrors() if each.figures.uuid), None)

    def reset_peak(self) -> None:
        """Reset the peaks."""
        if self._on_cuda:
            self._ask(Question.RESET_PEAK)

    def give_back(self) -> None:
        """Have each process, and then our own, return what is unused."""
        for engine in self._engines():
            # one that ends meanwhile has given everything back
            with suppress(EngineProcessError, OutOfMemoryError):
                engine.give_back()
        malloc_trim()

    def _mirrors(self) -> list[Mirror]:
        processes = [each.process for each in self._engines()]
        return [each.mirror for each in processes if each is not None]

    def _ask(self, question: Question) -> list[Any]:
        processes = [each.process for each in self._engines()]
        return [each.ask(question) for each in processes if each is not None]
