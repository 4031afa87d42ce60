"""Allocator, probe, monitor and cleaner of the device whose memory is measured."""

from __future__ import annotations

from collections.abc import Callable

from glmtts_core.memory.allocator import TensorAllocator, allocator_for
from glmtts_core.memory.cleanup import Cleaner
from glmtts_core.memory.ledger import CACHE_KINDS, Ledger
from glmtts_core.memory.monitor import MemoryMonitor
from glmtts_core.memory.nvml import Nvml
from glmtts_core.memory.probe import MemoryProbe
from glmtts_core.memory.resident_sets import ResidentSets
from glmtts_core.message import Message


class MemoryAccount:
    """Measures and cleans the memory of one device.

    Args:
        nvml: the driver.
        ledger: of what is kept on purpose.
        device: "cpu", "cuda" or "cuda:N", where the engine computes.
        rate_hz: readings a second.
        resident_sets: read the program's physical memory; None reads that of our process alone.
        allocator_of: returns the allocator of a device.

    Attributes:
        device: the measured one.
        allocator: of this device.
        monitor: takes the readings; stays the same when the device changes.
        cleaner: frees memory.
    """

    def __init__(
        self,
        nvml: Nvml,
        ledger: Ledger,
        device: str,
        rate_hz: float,
        resident_sets: ResidentSets | None = None,
        allocator_of: Callable[[str], TensorAllocator] = allocator_for,
    ) -> None:
        self._nvml = nvml
        self._ledger = ledger
        self._resident_sets = resident_sets or ResidentSets()
        self._allocator_of = allocator_of
        self.device = device
        self.allocator, self._probe = self._measuring(device)
        self.monitor = MemoryMonitor(self._probe, rate_hz=rate_hz)
        self.cleaner = Cleaner(self.monitor, self.allocator, ledger, device)

    @property
    def messages(self) -> tuple[Message, ...]:
        """Why figures are unknown, each reason once."""
        message = self.monitor.message
        return self._probe.messages + (() if message is None else (message,))

    def owners_of_caches(self) -> frozenset[str]:
        """Return the sessions for which something is cached."""
        entries = self._ledger.snapshot().entries
        return frozenset(entry.owner for entry in entries if entry.kind in CACHE_KINDS)

    def move_to(self, device: str) -> None:
        """Measure another device from now on; called on the worker's thread, between two jobs.

        Earlier readings stay on the timeline; the next loading or cleanup sets the floor of the
        host's memory.
        """
        if device == self.device:
            return
        self.device = device
        self.allocator, self._probe = self._measuring(device)
        self.monitor.probe = self._probe
        # the newest reading must not be one of the previous device
        self.monitor.sample_now()
        self.cleaner = Cleaner(self.monitor, self.allocator, self._ledger, device)

    def _measuring(self, device: str) -> tuple[TensorAllocator, MemoryProbe]:
        allocator = self._allocator_of(device)
        probe = MemoryProbe(self._nvml, allocator, self._ledger, device, self._resident_sets)
        return allocator, probe
