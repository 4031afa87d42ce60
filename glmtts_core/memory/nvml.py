"""The NVIDIA driver's figures of its devices; the only module that calls NVML.

Unknown figures are None, with a `Message` that says why; nothing is raised.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Final

from glmtts_core.memory import nvml_figures
from glmtts_core.memory.allocator import imported_cuda
from glmtts_core.memory.nvml_call import Refusal, ask, ask_either, import_pynvml
from glmtts_core.memory.nvml_messages import (
    RECONNECT,
    driver_message,
    field_message,
    not_supported,
)
from glmtts_core.message import Message

#: Seconds between two attempts to reach a driver or a device that does not answer.
RETRY_S: Final = 10.0
#: More devices than any machine has: a count above is not believed.
_MOST_DEVICES: Final = 256
#: Who computes and who draws on a device; drivers of 2020 and 2021 have only the second version,
#: which answers alike.
_PROCESS_LISTS: Final = (
    ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetComputeRunningProcesses_v2"),
    ("nvmlDeviceGetGraphicsRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses_v2"),
)


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """The figures of one device; None for unknown ones.

    Attributes:
        index: NVML's number of the device, which is not always torch's.
        name: as the driver writes it.
        used_bytes: all processes and the driver's own reserve together.
        total_bytes: size of the card.
        process_used_bytes: our own processes alone.
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
    messages: tuple[Message, ...]


@dataclass(slots=True)
class _Device:
    """What all readings of a device share; without a handle the device is lost."""

    index: int
    handle: Any
    name: str | None
    uuid: str | None
    messages: list[Message]


def torch_holds_context() -> bool:
    """Whether torch has a CUDA context in this process (nothing else here ever creates one)."""
    cuda = imported_cuda()
    return cuda is not None and cuda.is_initialized()


def own_pid() -> tuple[int]:
    """Return our process as the only one that is ours."""
    return (os.getpid(),)


class Nvml:
    """A connection to the driver that is opened on the first reading; thread-safe.

    Args:
        off: the driver's library is never loaded, and a reading says that GPUs are not looked at.
        pids: returns the processes whose memory counts as ours.
        holds_context: returns whether one of them has a CUDA context. Without one, a process
            list without us means that we use 0 bytes; with one, it is the list of another pid
            namespace (a container's host) and our use is unknown.
        retry_s: seconds between two attempts to reach what does not answer.
    """

    def __init__(
        self,
        *,
        off: bool = False,
        pids: Callable[[], Collection[int]] = own_pid,
        holds_context: Callable[[], bool] = torch_holds_context,
        retry_s: float = RETRY_S,
    ) -> None:
        self._off = off
        self._pids = pids
        self._holds_context = holds_context
        self._retry_s = retry_s
        self._lock = threading.Lock()
        self._library: ModuleType | None = None
        self._devices: list[_Device] = []
        self._version: str | None = None
        #: Why the driver cannot be asked at all.
        self._driver_message: Message | None = None
        self._version_message: Message | None = None
        self._next_attempt_s = 0.0

    def read(self) -> NvmlReading:
        """Ask all devices; never raises."""
        if self._off:
            return NvmlReading((), (Message("memory.nvml.off"),))
        with self._lock:
            if self._must_connect() and time.monotonic() >= self._next_attempt_s:
                self._next_attempt_s = time.monotonic() + self._retry_s
                self._disconnect()
                self._driver_message = self._connect()
            if self._library is None or self._driver_message is not None:
                message = self._driver_message
                return NvmlReading((), () if message is None else (message,))
            found: list[Message] = []
            readings = [self._read_device(self._library, each, found) for each in self._devices]
            readings = self._settle_missing(readings, found)
        return NvmlReading(tuple(readings), tuple(dict.fromkeys(found)))

    def driver_version(self) -> str | None:
        """Return the driver's version; None where it is unknown."""
        self.read()  # connects, if that is to be tried again
        with self._lock:
            return self._version

    @property
    def version_message(self) -> Message | None:
        """Why the version of a working driver is unknown, since the last connection."""
        return self._version_message

    def close(self) -> None:
        """Disconnect from the driver; the next reading connects again."""
        with self._lock:
            self._disconnect()
            self._next_attempt_s = 0.0

    def _must_connect(self) -> bool:
        return self._library is None or any(device.handle is None for device in self._devices)

    def _connect(self) -> Message | None:
        """Open the driver and all devices; return why it cannot be asked, where it cannot."""
        library = import_pynvml()
        if isinstance(library, Message):
            return library
        opened = ask(library, "nvmlInit")
        if isinstance(opened, Refusal):
            return driver_message(opened)
        self._library = library
        count = ask(library, "nvmlDeviceGetCount")
        if isinstance(count, Refusal):
            self._disconnect()
            return driver_message(count)
        if not isinstance(count, int) or not 0 <= count <= _MOST_DEVICES:
            self._disconnect()
            return Message("memory.nvml.failed", {"reason": f"nvmlDeviceGetCount: {count}"})
        version = ask(library, "nvmlSystemGetDriverVersion")
        if isinstance(version, Refusal):
            details = {"reason": version.reason}
            self._version_message = Message("memory.nvml.version_unknown", details)
        else:
            self._version = nvml_figures.words(version)
        self._devices = [self._open_device(library, index) for index in range(count)]
        return None if count else Message("memory.nvml.no_gpu")

    def _disconnect(self) -> None:
        library, self._library = self._library, None
        self._devices = []
        self._version = None
        self._driver_message = None
        self._version_message = None
        if library is not None:
            # its failure changes nothing
            ask(library, "nvmlShutdown")

    def _open_device(self, library: ModuleType, index: int) -> _Device:
        handle = ask(library, "nvmlDeviceGetHandleByIndex", index)
        if isinstance(handle, Refusal):
            return _Device(index, None, None, None, [field_message(handle, "memory", index)])
        device = _Device(index, handle, None, None, [])
        device.name = self._words_of(library, "nvmlDeviceGetName", device, "name")
        device.uuid = self._words_of(library, "nvmlDeviceGetUUID", device, "uuid")
        return device

    def _words_of(
        self, library: ModuleType, function: str, device: _Device, field: str
    ) -> str | None:
        answer = ask(library, function, device.handle)
        if isinstance(answer, Refusal):
            device.messages.append(field_message(answer, field, device.index))
            return None
        found = nvml_figures.words(answer)
        if found is None:
            device.messages.append(not_supported(field, device.index))
        return found

    def _read_device(
        self, library: ModuleType, device: _Device, found: list[Message]
    ) -> DeviceReading:
        found += device.messages
        unknown = DeviceReading(device.index, device.name, None, None, None, device.uuid)
        if device.handle is None:
            return unknown
        # version 1 counts the driver's reserve as used, so that total − used is really free
        memory = ask(library, "nvmlDeviceGetMemoryInfo", device.handle)
        if isinstance(memory, Refusal):
            found.append(field_message(memory, "memory", device.index))
            if memory.code in RECONNECT:
                device.handle = None
                device.messages = [found[-1]]
                return unknown
            used = total = None
        else:
            used, total, message = nvml_figures.memory(memory, device.index)
            found += () if message is None else (message,)
        process = self._process_bytes(library, device, total, found)
        return replace(unknown, used_bytes=used, total_bytes=total, process_used_bytes=process)

    def _process_bytes(
        self, library: ModuleType, device: _Device, total: int | None, found: list[Message]
    ) -> int | None:
        """Return what the lists give for our processes; 0 where neither names one of them."""
        highest, pids = 0, frozenset(self._pids())
        for functions in _PROCESS_LISTS:
            processes = ask_either(library, functions, device.handle)
            if isinstance(processes, Refusal):
                found.append(field_message(processes, "processes", device.index))
                return None
            ours = [process.usedGpuMemory for process in processes if process.pid in pids]
            if None in ours:
                found.append(Message("memory.nvml.process_not_told"))
                return None
            # one entry for each MIG instance; but a process that both computes and draws is in both
            # lists with the same, whole figure
            highest = max(highest, sum(ours))
        if not nvml_figures.is_plausible(highest, total):
            details = {"index": device.index, "used": highest}
            found.append(Message("memory.nvml.process_implausible", details))
            return None
        return highest

    def _settle_missing(
        self, readings: list[DeviceReading], found: list[Message]
    ) -> list[DeviceReading]:
        """Turn "not in the lists" into unknown where we must be in one of them."""
        known = [entry for entry in readings if entry.process_used_bytes is not None]
        if not known or any(entry.process_used_bytes for entry in known):
            return readings
        if not self._holds_context():
            return readings
        found.append(Message("memory.nvml.process_hidden"))
        return [replace(entry, process_used_bytes=None) for entry in readings]
