"""Everything that measures and cleans memory, around the one device that is accounted for."""

from __future__ import annotations

from glmtts_core.memory.allocator import TensorAllocator, allocator_for
from glmtts_core.memory.cleanup import Cleaner
from glmtts_core.memory.ledger import Ledger
from glmtts_core.memory.monitor import MemoryMonitor
from glmtts_core.memory.nvml import Nvml
from glmtts_core.memory.probe import MemoryProbe
from glmtts_core.message import Message


class MemoryAccount:
    """Allocator, probe, monitor and cleaner that belong together.

    Args:
        nvml: the driver.
        ledger: what is kept on purpose.
        device: "cpu", "cuda" or "cuda:N", where the engine computes.
        rate_hz: readings a second.

    Attributes:
        device: the one that is accounted for.
        allocator: of this device.
        monitor: takes the readings; stays the same when the device changes.
        cleaner: gives memory back.
    """

    def __init__(self, nvml: Nvml, ledger: Ledger, device: str, rate_hz: float) -> None:
        self._nvml = nvml
        self._ledger = ledger
        self.device = device
        self.allocator: TensorAllocator = allocator_for(device)
        self._probe = MemoryProbe(nvml, self.allocator, ledger, device)
        self.monitor = MemoryMonitor(self._probe, rate_hz=rate_hz)
        self.cleaner = Cleaner(self.monitor, self.allocator, ledger, device)

    @property
    def messages(self) -> tuple[Message, ...]:
        """Why figures are unknown, each reason once."""
        message = self.monitor.message
        return self._probe.messages + (() if message is None else (message,))

    def move_to(self, device: str) -> None:
        """Account for another device from now on; on the worker's thread, between two jobs.

        What was measured so far stays on the timeline; the floor of the host's memory is noted
        anew at the next loading or cleanup.
        """
        if device == self.device:
            return
        self.device = device
        self.allocator = allocator_for(device)
        self._probe = MemoryProbe(self._nvml, self.allocator, self._ledger, device)
        self.monitor.probe = self._probe
        # who looks at the newest reading must not meet one of the device before
        self.monitor.sample_now()
        self.cleaner = Cleaner(self.monitor, self.allocator, self._ledger, device)
