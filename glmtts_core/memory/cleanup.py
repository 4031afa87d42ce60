"""Cleans up memory in the right order, with a promise before and a report after.

Knows nothing about engines and sessions: they pass callables that drop their references.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any, Final

from glmtts_core.memory.allocator import TensorAllocator
from glmtts_core.memory.ledger import PREPARED_KINDS, WEIGHT_KINDS, Ledger, LedgerSnapshot
from glmtts_core.memory.monitor import EventKind, MemoryMonitor
from glmtts_core.memory.points import Line, MemoryPoint, main_line
from glmtts_core.memory.promises import CleanupLevel, Promise

__all__ = ["Cleaner", "CleanupLevel", "CleanupReport", "Promise", "settle_garbage"]

#: What the next synthesis costs, by level; a trim that dropped nothing prepared costs nothing.
_NEXT_COST: Final = {
    CleanupLevel.TRIM: "memory.next_cost.caches",
    CleanupLevel.OFFLOAD: "memory.next_cost.move",
    CleanupLevel.UNLOAD: "memory.next_cost.reload",
}
_NOTHING: Final = "memory.next_cost.nothing"


@dataclass(frozen=True, slots=True)
class CleanupReport:
    """What one cleanup promised and what it did.

    Attributes:
        level: how deep it went.
        promised: the promise before.
        regained_bytes: decrease of the main line; 0 where it rose meanwhile.
        line: the figure that is the main line.
        before_bytes: the main line before.
        after_bytes: the main line after.
        by_layer: decrease of each figure (negative where it rose); unknown ones are left out.
        seconds: duration.
        next_cost: message key of what the next synthesis costs.
        wall_time_s: end, `time.time`.
    """

    level: CleanupLevel
    promised: Promise
    regained_bytes: int
    line: Line
    before_bytes: int
    after_bytes: int
    by_layer: Mapping[str, int]
    seconds: float
    next_cost: str
    wall_time_s: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "level": self.level.value, "line": self.line.value}


class Cleaner:
    """Cleans up, one cleanup at a time, on the thread that calls it.

    Args:
        monitor: takes the readings before and after, and gets an event.
        allocator: of the engine's device.
        ledger: of what is kept on purpose.
        device: "cpu", "cuda" or "cuda:N", where the engine computes.
    """

    def __init__(
        self, monitor: MemoryMonitor, allocator: TensorAllocator, ledger: Ledger, device: str
    ) -> None:
        self._monitor = monitor
        self._allocator = allocator
        self._ledger = ledger
        self._device = device
        self._promises = monitor.probe.promises

    def note_floor(self) -> None:
        """Return what loading left unused, and take the rest as the floor."""
        self._allocator.give_back()
        self._promises.refresh()
        self._promises.note_floor()

    def begin_growth(self) -> None:
        """Start of a job: growth of the resident set until `end_growth` is attributed to it."""
        self._promises.begin_growth()

    def end_growth(self) -> None:
        """End of the job; a cleanup in between has restarted the measurement."""
        self._promises.end_growth()

    def promise(self, level: CleanupLevel, owners: Collection[str] | None = None) -> Promise:
        """Return what `clean` would free; cheap.

        Args:
            level: how deep it would go.
            owners: whose caches it would drop; None for all.
        """
        return self._promises.promise(level, owners)

    def clean(
        self,
        level: CleanupLevel,
        *,
        drop: Sequence[Callable[[], object]] = (),
        owners: Collection[str] | None = None,
    ) -> CleanupReport:
        """Drop references, collect garbage, return memory, and report.

        Args:
            level: how deep ``drop`` goes; from offloading on, long-lived objects are searched
                for garbage too, which takes a tenth of a second or more.
            drop: called first, in this order; each drops references. If one fails, the others
                are still called and memory is returned; then its error is raised.
            owners: whose caches ``drop`` covers, for the promise; None for all.
        """
        self._promises.refresh()
        promised = self.promise(level, owners)
        kept_before = self._ledger.snapshot()
        # also takes the reading before, so that the chart shows the drop
        unloads = level is CleanupLevel.UNLOAD
        self._monitor.mark(EventKind.UNLOAD if unloads else EventKind.CLEANUP)
        before = MemoryPoint.of(self._monitor.latest())
        started_s = time.perf_counter()
        with ExitStack() as stack:  # runs backwards
            stack.callback(self._allocator.give_back)
            stack.callback(gc.collect if level is CleanupLevel.TRIM else settle_garbage)
            for let_go in reversed(drop):
                stack.callback(let_go)
        seconds = time.perf_counter() - started_s
        self._promises.refresh()
        self._promises.note_floor()
        after = MemoryPoint.of(self._monitor.sample_now())
        costs = _costs(level, kept_before, self._ledger.snapshot())
        line = main_line(self._device, (before, after))
        before_bytes, after_bytes = before.value(line) or 0, after.value(line) or 0
        return CleanupReport(
            level=level,
            promised=promised,
            regained_bytes=max(0, before_bytes - after_bytes),
            line=line,
            before_bytes=before_bytes,
            after_bytes=after_bytes,
            by_layer=_fallen(before, after),
            seconds=seconds,
            next_cost=_NEXT_COST[level] if costs else _NOTHING,
            wall_time_s=time.time(),
        )


def settle_garbage() -> None:
    """Collect all garbage, then exempt the living objects from further collections.

    With torch imported, a full collection visits some 190,000 objects and takes over 100 ms;
    exempt objects cost nothing. Call it after imports and loading. Exempt objects are checked
    again first: an unloaded network with reference cycles could not be freed otherwise.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _costs(level: CleanupLevel, before: LedgerSnapshot, after: LedgerSnapshot) -> bool:
    """Return whether something that the next synthesis needs was dropped or moved."""
    match level:
        case CleanupLevel.TRIM:
            return after.total_bytes(kinds=PREPARED_KINDS) < before.total_bytes(
                kinds=PREPARED_KINDS
            )
        case CleanupLevel.OFFLOAD:
            return after.total_bytes(kinds=WEIGHT_KINDS, on_device=True) < before.total_bytes(
                kinds=WEIGHT_KINDS, on_device=True
            )
        case CleanupLevel.UNLOAD:
            return True


def _fallen(before: MemoryPoint, after: MemoryPoint) -> dict[str, int]:
    then, now = before.to_dict(), after.to_dict()
    fallen: dict[str, int] = {}
    for name, was in then.items():
        is_ = now[name]
        if was is not None and is_ is not None:
            fallen[name.removesuffix("_bytes")] = was - is_
    return fallen
