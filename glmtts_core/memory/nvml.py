"""What the NVIDIA driver tells about its devices: the one place that talks to NVML.

Whatever the driver cannot tell is None, with a `Problem` that says why; nothing is raised.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Final

from glmtts_core.memory.allocator import imported_cuda
from glmtts_core.memory.problem import Problem

NvmlProblem = Problem

#: Seconds between two attempts to reach a driver or a device that does not answer.
RETRY_S: Final = 10.0
#: NVML's return codes (nvml.h, nvmlReturn_t) that get a sentence of their own.
_NOT_SUPPORTED: Final = frozenset({3, 13})  # NOT_SUPPORTED, FUNCTION_NOT_FOUND
_LOST: Final = frozenset({15, 16, 28})  # GPU_IS_LOST, RESET_REQUIRED, GPU_NOT_FOUND
#: After these only a new connection can help: as above, UNINITIALIZED and UNKNOWN.
_RECONNECT: Final = _LOST | {1, 999}
_DRIVER_KEYS: Final = {
    4: "memory.nvml.no_permission",
    9: "memory.nvml.no_driver",
    12: "memory.nvml.no_library",
    18: "memory.nvml.driver_mismatch",
}


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """One device; None for what the driver does not tell.

    Attributes:
        index: NVML's number of the device, which is not always torch's.
        name: as the driver writes it.
        used_bytes: all processes and the driver's own reserve together.
        total_bytes: size of the card.
        process_used_bytes: our process alone.
        uuid: NVML's spelling ("GPU-...").
    """

    index: int
    name: str | None
    used_bytes: int | None
    total_bytes: int | None
    process_used_bytes: int | None
    uuid: str | None = None


@dataclass(frozen=True, slots=True)
class NvmlReading:
    """All devices, and every reason for an unknown figure once."""

    devices: tuple[DeviceReading, ...]
    problems: tuple[NvmlProblem, ...]


@dataclass(slots=True)
class _Device:
    """What stays the same from reading to reading; without a handle the device is lost."""

    index: int
    handle: Any
    name: str | None
    uuid: str | None
    problems: list[NvmlProblem]


def torch_holds_context() -> bool:
    """Whether torch has a CUDA context in this process (nothing else here ever creates one)."""
    cuda = imported_cuda()
    return cuda is not None and cuda.is_initialized()


class Nvml:
    """A connection to the driver that is opened on the first reading; thread-safe.

    Args:
        holds_context: tells whether our process holds a CUDA context. Without one, a process
            list that lacks us is right and we use 0 bytes; with one, it is the list of another
            pid namespace (a container's host) and what we use is unknown.
        retry_s: seconds between two attempts to reach what does not answer.
    """

    def __init__(
        self, *, holds_context: Callable[[], bool] = torch_holds_context, retry_s: float = RETRY_S
    ) -> None:
        self._holds_context = holds_context
        self._retry_s = retry_s
        self._lock = threading.Lock()
        self._library: ModuleType | None = None
        self._devices: list[_Device] = []
        self._driver_problem: NvmlProblem | None = None
        self._next_attempt_s = 0.0

    def read(self) -> NvmlReading:
        """Ask all devices; never raises."""
        with self._lock:
            if self._must_connect() and time.monotonic() >= self._next_attempt_s:
                self._next_attempt_s = time.monotonic() + self._retry_s
                self._disconnect()
                self._connect()
            if self._driver_problem is not None:
                return NvmlReading((), (self._driver_problem,))
            found: list[NvmlProblem] = []
            readings = [self._read_device(device, found) for device in self._devices]
            readings = self._settle_missing(readings, found)
        return NvmlReading(tuple(readings), _distinct(found))

    def driver_version(self) -> str | None:
        """Return the driver's version; None where there is no driver or it does not tell."""
        self.read()  # connects, if that is to be tried again
        with self._lock:
            if self._library is None:
                return None
            version, _ = self._ask(self._library.nvmlSystemGetDriverVersion)
        return None if version is None else str(version)

    def close(self) -> None:
        """Let the driver go; the next reading connects again."""
        with self._lock:
            self._disconnect()
            self._next_attempt_s = 0.0

    def _must_connect(self) -> bool:
        return self._library is None or any(device.handle is None for device in self._devices)

    def _connect(self) -> None:
        try:
            import pynvml  # 30 ms that a program without memory readings can do without
        except ImportError:
            self._driver_problem = NvmlProblem("memory.nvml.not_installed")
            return
        try:
            pynvml.nvmlInit()
            self._library = pynvml
            count = pynvml.nvmlDeviceGetCount()
        except pynvml.NVMLError as error:
            key = _DRIVER_KEYS.get(error.value, "memory.nvml.failed")
            details = {"reason": str(error)} if key == "memory.nvml.failed" else {}
            self._disconnect()
            self._driver_problem = NvmlProblem(key, details)
            return
        self._driver_problem = None if count else NvmlProblem("memory.nvml.no_gpu")
        self._devices = [self._open_device(pynvml, index) for index in range(count)]

    def _disconnect(self) -> None:
        library, self._library = self._library, None
        self._devices = []
        self._driver_problem = None
        if library is not None:
            self._ask(library.nvmlShutdown)

    def _open_device(self, library: ModuleType, index: int) -> _Device:
        handle, error = self._ask(library.nvmlDeviceGetHandleByIndex, index)
        device = _Device(index, handle, None, None, [])
        if handle is None:
            device.problems.append(_field_problem(error, "memory", index))
            return device
        device.name, error = self._ask(library.nvmlDeviceGetName, handle)
        if error is not None:
            device.problems.append(_field_problem(error, "name", index))
        device.uuid, _ = self._ask(library.nvmlDeviceGetUUID, handle)
        return device

    def _read_device(self, device: _Device, found: list[NvmlProblem]) -> DeviceReading:
        found += device.problems
        unknown = DeviceReading(device.index, device.name, None, None, None, device.uuid)
        library = self._library
        if device.handle is None or library is None:
            return unknown
        # version 1 counts the driver's reserve as used, so that total − used is really free
        memory, error = self._ask(library.nvmlDeviceGetMemoryInfo, device.handle)
        if error is not None:
            found.append(_field_problem(error, "memory", device.index))
            if error.value in _RECONNECT:
                device.handle = None
                device.problems = [found[-1]]
                return unknown
        return replace(
            unknown,
            used_bytes=None if memory is None else int(memory.used),
            total_bytes=None if memory is None else int(memory.total),
            process_used_bytes=self._process_bytes(library, device, found),
        )

    def _process_bytes(
        self, library: ModuleType, device: _Device, found: list[NvmlProblem]
    ) -> int | None:
        """Return what the lists give for our pid; 0 where neither names it."""
        highest = 0
        for ask in (
            library.nvmlDeviceGetComputeRunningProcesses,
            library.nvmlDeviceGetGraphicsRunningProcesses,
        ):
            processes, error = self._ask(ask, device.handle)
            if error is not None:
                found.append(_field_problem(error, "processes", device.index))
                return None
            ours = [process.usedGpuMemory for process in processes if process.pid == os.getpid()]
            if None in ours:
                found.append(NvmlProblem("memory.nvml.process_not_told", {}, device.index))
                return None
            # one entry for each MIG instance; but a process that both computes and draws stands
            # in both lists with the same, whole figure
            highest = max(highest, sum(ours))
        return highest

    def _settle_missing(
        self, readings: list[DeviceReading], found: list[NvmlProblem]
    ) -> list[DeviceReading]:
        """Turn "not in the lists" into unknown where we must be in one of them."""
        told = [entry for entry in readings if entry.process_used_bytes is not None]
        if not told or any(entry.process_used_bytes for entry in told):
            return readings
        if not self._holds_context():
            return readings
        found.append(NvmlProblem("memory.nvml.process_hidden"))
        return [replace(entry, process_used_bytes=None) for entry in readings]

    def _ask(self, call: Callable[..., Any], *arguments: Any) -> tuple[Any, Any]:
        """Return (answer, None), or (None, the driver's error)."""
        import pynvml

        try:
            return call(*arguments), None
        except pynvml.NVMLError as error:
            return None, error


def _field_problem(error: Any, field: str, index: int) -> NvmlProblem:
    if error.value in _LOST:
        return NvmlProblem("memory.nvml.device_lost", {"index": index}, index)
    if error.value in _NOT_SUPPORTED:
        return NvmlProblem(f"memory.nvml.{field}_not_supported", {"index": index}, index)
    return NvmlProblem("memory.nvml.device_failed", {"index": index, "reason": str(error)}, index)


def _distinct(problems: list[NvmlProblem]) -> tuple[NvmlProblem, ...]:
    kept: list[NvmlProblem] = []
    for problem in problems:
        if problem not in kept:
            kept.append(problem)
    return tuple(kept)
