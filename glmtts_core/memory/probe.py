"""Readings of all memory figures at one moment."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from glmtts_core.memory.allocator import AllocatorReading, TensorAllocator
from glmtts_core.memory.ledger import CACHE_KINDS, WEIGHT_KINDS, Ledger, LedgerKind, WeightsPart
from glmtts_core.memory.nvml import DeviceReading, Nvml
from glmtts_core.memory.promises import Outlook, Promises
from glmtts_core.memory.resident_sets import HostUse, ProcessUse, ResidentSets
from glmtts_core.memory.system import host_memory
from glmtts_core.memory.visible_devices import VARIABLE, visible_devices
from glmtts_core.message import Message

#: Readings by which the figures of another process may be late.
_LATE_READINGS: Final = 3


@dataclass(frozen=True, slots=True)
class MemoryReading:
    """All figures of one moment, in bytes; None for unknown ones.

    Attributes:
        time_s: `time.monotonic`.
        devices: the driver's figures of each GPU.
        main_device: NVML's index of the GPU that the engine uses; None on the CPU and while it is
            unknown.
        allocated_bytes: live tensors on the GPU.
        reserved_bytes: held from the driver by torch.
        resident_set_bytes: the whole program in physical memory: our own process, and what the
            engines' processes would give back by ending.
        host_total_bytes: memory of the machine.
        host_available_bytes: what programs can still allocate without swapping.
        weights_bytes: the ledger's weights, on all devices.
        caches_bytes: the ledger's voice caches, histories and results, on all devices.
        weights_on_device_bytes: the part of the weights that lies on the GPU.
        caches_on_device_bytes: the part of the caches that lies on the GPU.
        workspace_bytes: in use by running work; on the CPU what lies above the floor and is not
            known to be idle.
        idle_bytes: unused, and returned by any cleanup.
        host_parts: weights in host memory by network, of engines that have several.
        device_parts: the same on the GPU.
        engines: the engines' own processes, where they have any.
        pages_bytes: what serves the pages, where engines have processes of their own; else None.
    """

    time_s: float
    devices: tuple[DeviceReading, ...]
    main_device: int | None
    allocated_bytes: int | None
    reserved_bytes: int | None
    resident_set_bytes: int
    host_total_bytes: int
    host_available_bytes: int
    weights_bytes: int
    caches_bytes: int
    weights_on_device_bytes: int
    caches_on_device_bytes: int
    workspace_bytes: int | None
    idle_bytes: int
    host_parts: Mapping[WeightsPart, int] = field(default_factory=dict)
    device_parts: Mapping[WeightsPart, int] = field(default_factory=dict)
    engines: tuple[ProcessUse, ...] = ()
    pages_bytes: int | None = None

    @property
    def engines_bytes(self) -> int:
        """The part of the resident set that lies in the engines' own processes."""
        return sum(each.proportional_set_bytes for each in self.engines)

    @property
    def main(self) -> DeviceReading | None:
        """The GPU that the engine uses."""
        return next((entry for entry in self.devices if entry.index == self.main_device), None)

    def free_bytes(self, device: str) -> int | None:
        """Return what can still be had on ``device``, what is idle included; None if unknown."""
        if device == "cpu":
            return self.host_available_bytes
        gpu = self.main
        if gpu is None or gpu.total_bytes is None or gpu.used_bytes is None:
            return None
        return gpu.total_bytes - gpu.used_bytes + self.idle_bytes


class MemoryProbe:
    """Takes readings; may be called from any thread.

    Args:
        nvml: the driver.
        allocator: of the engine's device.
        ledger: of what is kept on purpose.
        device: "cpu", "cuda" or "cuda:N", where the engine computes.
        resident_sets: read the program's physical memory; None reads that of our process alone.
    """

    def __init__(
        self,
        nvml: Nvml,
        allocator: TensorAllocator,
        ledger: Ledger,
        device: str,
        resident_sets: ResidentSets | None = None,
    ) -> None:
        self.device = device
        self.resident_sets = resident_sets or ResidentSets()
        self.promises = Promises(allocator, ledger, device, self.resident_sets)
        self._nvml = nvml
        self._allocator = allocator
        self._ledger = ledger
        self._messages: tuple[Message, ...] = ()
        self._hidden_for = 0

    @property
    def messages(self) -> tuple[Message, ...]:
        """Why figures of the last reading are unknown, each reason once."""
        return self._messages

    def read(self) -> MemoryReading:
        """Take one reading."""
        tensors = self._allocator.read()
        driver = self._nvml.read()
        kept = self._ledger.snapshot()
        use = self.resident_sets.read()
        total, available = host_memory()
        main = self._main_device(driver.devices)
        devices, messages = self._without_strangers(driver.devices, main, tensors)
        if driver.devices and main is None and self.device != "cpu":
            messages = (Message("memory.nvml.engine_gpu_unknown"),)
        self._messages = (*driver.messages, *messages)
        self.promises.device_use_bytes = _process_used(devices, main)
        outlook = self.promises.outlook(kept, tensors, use.total_bytes)
        sizes = kept.by_kind()
        weights_on_device = sum(sizes[kind, True] for kind in WEIGHT_KINDS)
        caches_on_device = sum(sizes[kind, True] for kind in CACHE_KINDS)
        return MemoryReading(
            time_s=time.monotonic(),
            devices=devices,
            main_device=main,
            allocated_bytes=tensors.allocated_bytes,
            reserved_bytes=tensors.reserved_bytes,
            resident_set_bytes=use.total_bytes,
            host_total_bytes=total,
            host_available_bytes=available,
            weights_bytes=sum(sizes[kind, False] for kind in WEIGHT_KINDS) + weights_on_device,
            caches_bytes=sum(sizes[kind, False] for kind in CACHE_KINDS) + caches_on_device,
            weights_on_device_bytes=weights_on_device,
            caches_on_device_bytes=caches_on_device,
            workspace_bytes=_workspace_bytes(
                tensors,
                outlook,
                named_on_device=weights_on_device + caches_on_device,
                recorded=sizes[LedgerKind.WORKSPACE, False],
            ),
            idle_bytes=outlook.idle_bytes,
            host_parts=kept.weights_by_part(on_device=False),
            device_parts=kept.weights_by_part(on_device=True),
            engines=use.engines,
            pages_bytes=self._pages_bytes(use, sizes[LedgerKind.RESULTS, False]),
        )

    def _pages_bytes(self, use: HostUse, results_bytes: int) -> int | None:
        """Return what serves the pages, where that is a process of its own."""
        return use.own_bytes - results_bytes if self.resident_sets.separate else None

    def _main_device(self, devices: Sequence[DeviceReading]) -> int | None:
        """Find NVML's number of the engine's GPU: the two count in different orders."""
        kind, _, number = self.device.partition(":")
        if kind != "cuda":
            return None
        uuids = [entry.uuid for entry in devices]
        uuid = self._allocator.device_uuid()
        if uuid is not None and any(uuids):
            wanted = "GPU-" + uuid.removeprefix("GPU-")
            return next((entry.index for entry in devices if entry.uuid == wanted), None)
        visible = visible_devices(os.environ.get(VARIABLE), uuids)
        position = int(number or 0)
        found = visible[position] if position < len(visible) else None
        return None if found is None else devices[found].index

    def _without_strangers(
        self, devices: tuple[DeviceReading, ...], main: int | None, tensors: AllocatorReading
    ) -> tuple[tuple[DeviceReading, ...], tuple[Message, ...]]:
        """Drop process figures below what torch alone holds.

        In a container the driver may list pids of the host, and one of them may equal ours. Torch
        is asked again first: it may have returned memory between the two questions. Figures of
        another process are those that it has sent last, and count only if they stay so.
        """
        ours = _process_used(devices, main)
        self._hidden_for += 1
        if (
            ours is None
            or ours >= (tensors.reserved_bytes or 0)
            or ours >= (self._allocator.read().reserved_bytes or 0)
        ):
            self._hidden_for = 0
        if self._hidden_for <= (_LATE_READINGS if self.resident_sets.separate else 0):
            return devices, ()
        cleared = tuple(replace(entry, process_used_bytes=None) for entry in devices)
        return cleared, (Message("memory.nvml.process_hidden"),)


def _process_used(devices: Sequence[DeviceReading], main: int | None) -> int | None:
    device = next((entry for entry in devices if entry.index == main), None)
    return None if device is None else device.process_used_bytes


def _workspace_bytes(
    tensors: AllocatorReading, outlook: Outlook, *, named_on_device: int, recorded: int
) -> int | None:
    if tensors.allocated_bytes is not None:
        return max(0, tensors.allocated_bytes - named_on_device)
    if outlook.above_floor_bytes is not None:
        return max(0, outlook.above_floor_bytes - outlook.idle_bytes)
    return recorded or None
