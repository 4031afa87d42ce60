"""The tensor allocators of engines' processes, together, with the interface of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from glmtts_core.engines.host.engine_process import EngineProcess
from glmtts_core.engines.host.mirror import Mirror
from glmtts_core.engines.host.protocol import Question
from glmtts_core.engines.host.remote_engine import RemoteEngine
from glmtts_core.errors import EngineProcessError, ProcessOutOfMemoryError
from glmtts_core.memory.allocator import AllocatorReading
from glmtts_core.memory.system import malloc_trim


class RemoteAllocator:
    """The allocators of all engines on one device; a device without any has allocated nothing.

    Args:
        engines: returns all engines, those on the device and the others.
        device: "cpu", "cuda" or "cuda:N".
    """

    def __init__(self, engines: Callable[[], Sequence[RemoteEngine]], device: str) -> None:
        self._engines = engines
        self._device = device
        self._on_cuda = device.startswith("cuda")
        self._uuid: str | None = None

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
        """The device's UUID, None until a process has opened it."""
        told = (each.figures.uuid for each in self._mirrors() if each.figures.uuid)
        # the device stays the same when the process that has told it ends
        self._uuid = next(told, self._uuid)
        return self._uuid

    def reset_peak(self) -> None:
        """Reset the peaks."""
        if self._on_cuda:
            self._ask(Question.RESET_PEAK)

    def give_back(self) -> None:
        """Have each process, and then our own, return what is unused, on the host too."""
        for engine in self._engines():
            # one that ends meanwhile has given everything back, and that is in the log
            with suppress(EngineProcessError, ProcessOutOfMemoryError):
                engine.give_back()
        malloc_trim()

    def _mirrors(self) -> list[Mirror]:
        return [each.mirror for each in self._processes()]

    def _ask(self, question: Question) -> list[Any]:
        return [each.ask(question) for each in self._processes()]

    def _processes(self) -> list[EngineProcess]:
        here = [each for each in self._engines() if each.capabilities.device == self._device]
        processes = [each.process for each in here]
        return [each for each in processes if each is not None]
