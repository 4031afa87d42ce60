"""Parts for the memory tests: a driver without devices, readings, and a stand-in ``torch.cuda``."""

from __future__ import annotations

import mmap
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from glmtts_core.memory.allocator import HostAllocator
from glmtts_core.memory.cleanup import Cleaner
from glmtts_core.memory.ledger import Ledger
from glmtts_core.memory.monitor import MemoryMonitor
from glmtts_core.memory.nvml import DeviceReading, NvmlReading
from glmtts_core.memory.probe import MemoryProbe, MemoryReading
from glmtts_core.memory.resident_sets import HostUse, ProcessUse

MIB = 2**20


def touch_and_give_back(size_bytes: int) -> None:
    """Hold so much memory for a moment.

    Straight from the system: the C library may serve a large block from a hole in its heap, and
    then keeps it.
    """
    with mmap.mmap(-1, size_bytes) as block:
        for place in range(0, size_bytes, mmap.PAGESIZE):
            block[place] = 1


@dataclass
class Driver:
    """Answers as `Nvml` does, with what a test sets."""

    devices: tuple[DeviceReading, ...] = ()

    def read(self) -> NvmlReading:
        return NvmlReading(self.devices, ())


@dataclass
class ResidentSet:
    """The program's resident set as `ResidentSets` reads it; a test sets it, or an error."""

    bytes: int = 200 * MIB
    error: Exception | None = None
    separate: bool = False
    engines: tuple[ProcessUse, ...] = ()

    def read(self) -> HostUse:
        if self.error is not None:
            raise self.error
        return HostUse(self.bytes, self.engines)

    def total_bytes(self) -> int:
        return self.read().total_bytes

    def refresh(self) -> None: ...

    def reset_peak(self) -> None: ...

    def peak_bytes(self) -> None: ...


@dataclass
class HostRig:
    """Ledger, monitor and cleaner of a CPU engine over a resident set that the test sets."""

    resident: ResidentSet = field(default_factory=ResidentSet)
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        self.allocator = HostAllocator()
        self.probe = MemoryProbe(
            Driver(), self.allocator, self.ledger, "cpu", resident_sets=self.resident
        )
        self.monitor = MemoryMonitor(self.probe)
        self.cleaner = Cleaner(self.monitor, self.allocator, self.ledger, "cpu")


@dataclass
class StandInCuda:
    """``torch.cuda`` as far as `CudaAllocator` uses it, over a heap of segments.

    Each segment is (size, live bytes); live 0 means that all of it is one free block.
    """

    segments: list[tuple[int, int]] = field(default_factory=list)
    initialized: bool = True
    uuid: str = "00000000-0000-0000-0000-000000000000"
    peak: int = 0
    calls: list[str] = field(default_factory=list)

    def is_initialized(self) -> bool:
        return self.initialized

    def memory_stats_as_nested_dict(self, device: int) -> dict[str, Any]:
        live = sum(used for _, used in self.segments)
        self.peak = max(self.peak, live)
        figures = {
            "allocated_bytes": live,
            "active_bytes": live,
            "reserved_bytes": sum(size for size, _ in self.segments),
            "inactive_split_bytes": sum(size - used for size, used in self.segments if used),
        }
        return {
            name: {"all": {"current": value, "peak": self.peak}} for name, value in figures.items()
        }

    def reset_peak_memory_stats(self, device: int) -> None:
        self.peak = 0

    def get_device_properties(self, device: int) -> Any:
        return SimpleNamespace(uuid=self.uuid)

    def device(self, device: int) -> AbstractContextManager[None]:
        self.calls.append(f"device {device}")
        return nullcontext()

    def synchronize(self, device: int) -> None:
        self.calls.append("synchronize")

    def empty_cache(self) -> None:
        self.calls.append("empty_cache")
        self.segments = [segment for segment in self.segments if segment[1]]

    def ipc_collect(self) -> None:
        self.calls.append("ipc_collect")


def device(
    index: int = 0,
    used: int | None = 0,
    total: int | None = 24_576 * MIB,
    process: int | None = 0,
    uuid: str | None = None,
) -> DeviceReading:
    return DeviceReading(index, f"GPU {index}", used, total, process, uuid)


def reading(**changes: Any) -> MemoryReading:
    figures: dict[str, Any] = {
        "time_s": 0.0,
        "devices": (),
        "main_device": None,
        "allocated_bytes": None,
        "reserved_bytes": None,
        "resident_set_bytes": 0,
        "host_total_bytes": 0,
        "host_available_bytes": 0,
        "weights_bytes": 0,
        "caches_bytes": 0,
        "weights_on_device_bytes": 0,
        "caches_on_device_bytes": 0,
        "workspace_bytes": None,
        "idle_bytes": 0,
    }
    return MemoryReading(**{**figures, **changes})
