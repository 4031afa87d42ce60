"""The memory cost of one piece of work: before, peak and after."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from glmtts_core.memory.allocator import TensorAllocator
from glmtts_core.memory.monitor import MemoryMonitor
from glmtts_core.memory.points import Line, MemoryPoint, highest, main_line


@dataclass(frozen=True, slots=True)
class MemoryCost:
    """Memory before, at the peak and after one piece of work.

    Attributes:
        device: where the engine computed.
        before: just before the start.
        peak: each figure's own maximum; they need not have come at the same time.
        after: just after the end.
    """

    device: str
    before: MemoryPoint
    peak: MemoryPoint
    after: MemoryPoint

    @property
    def line(self) -> Line:
        """The figure on which the three are compared."""
        return main_line(self.device, (self.before, self.peak, self.after))

    @property
    def before_bytes(self) -> int:
        """The main line before."""
        return self.before.value(self.line) or 0

    @property
    def peak_bytes(self) -> int:
        """The main line at its highest."""
        return self.peak.value(self.line) or 0

    @property
    def after_bytes(self) -> int:
        """The main line after."""
        return self.after.value(self.line) or 0

    @property
    def growth_bytes(self) -> int:
        """Growth of the main line; negative where it shrank."""
        return self.after_bytes - self.before_bytes

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "device": self.device,
            "before": self.before.to_dict(),
            "peak": self.peak.to_dict(),
            "after": self.after.to_dict(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> MemoryCost:
        """Read back what `to_dict` wrote.

        Raises:
            KeyError, TypeError: something else was stored.
        """
        before, peak, after = (
            MemoryPoint.from_dict(stored[moment]) for moment in ("before", "peak", "after")
        )
        return cls(str(stored["device"]), before, peak, after)


class CostMeter:
    """Measures the work inside a ``with`` block; one at a time for each device.

    The peak of tensors is the allocator's, that of the resident set the kernel's where it has one;
    the other peaks are the highest samples of the monitor.

    Args:
        monitor: takes the readings.
        allocator: of the measured device.
        device: where the work computes; None takes the device of the monitor's probe.
    """

    def __init__(
        self, monitor: MemoryMonitor, allocator: TensorAllocator, device: str | None = None
    ) -> None:
        self._monitor = monitor
        self._allocator = allocator
        self._device = device or monitor.probe.device
        self._before: MemoryPoint | None = None
        self._start_s = 0.0
        self._cost: MemoryCost | None = None

    @property
    def cost(self) -> MemoryCost:
        """What the work cost, once it has ended.

        Raises:
            RuntimeError: the work has not ended.
        """
        if self._cost is None:
            raise RuntimeError("the meter has not finished")
        return self._cost

    def __enter__(self) -> Self:
        self._allocator.reset_peak()
        self._monitor.probe.resident_sets.reset_peak()
        self._start_s = time.monotonic()
        self._before = MemoryPoint.of(self._monitor.sample_now())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._before is not None
        tensor_peak = self._allocator.peak_allocated_bytes()
        after = MemoryPoint.of(self._monitor.sample_now())
        sampled = self._monitor.peak_between(self._start_s, time.monotonic())
        peak = highest((self._before, sampled, after))
        resident_peak = self._monitor.probe.resident_sets.peak_bytes()
        peak = replace(
            peak,
            allocated_bytes=_higher(peak.allocated_bytes, tensor_peak),
            resident_set_bytes=max(peak.resident_set_bytes, resident_peak or 0),
        )
        self._cost = MemoryCost(self._device, self._before, peak, after)


def _higher(first: int | None, second: int | None) -> int | None:
    known = [figure for figure in (first, second) if figure is not None]
    return max(known) if known else None
