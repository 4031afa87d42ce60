"""Predicts what a cleanup would free.

On CUDA the prediction is exact: torch knows its free segments and the ledger knows the caches. On
the CPU it is an estimate, the smaller of two bounds:

* what lies above the *floor*: the physical memory after loading or the last cleanup, less what
  the ledger records. What that cleanup could not free, the next one cannot free either;
* how much the jobs since then have *grown* the process, less what the ledger has gained since.
  So memory that the web pages use is not promised.

That is the idle memory in the heap and the runtime's arenas. The caches that the cleanup drops are
added; caches of other owners are in neither bound.

An engine in a process of its own gives all of that process back when it is unloaded: an exact
promise, on either device.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from glmtts_core.memory.allocator import AllocatorReading, TensorAllocator
from glmtts_core.memory.ledger import CACHE_KINDS, Ledger, LedgerKind, LedgerSnapshot
from glmtts_core.memory.resident_sets import HostUse, ResidentSets


class CleanupLevel(StrEnum):
    """How deep a cleanup goes."""

    TRIM = "trim"
    OFFLOAD = "offload"
    UNLOAD = "unload"


@dataclass(frozen=True, slots=True)
class Promise:
    """Bytes that a cleanup would free; where not exact, pages say "about"."""

    bytes: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """The parts of a promise, in bytes.

    Attributes:
        idle_bytes: unused; any cleanup returns them.
        droppable_bytes: dropped by a trim: caches of the given owners, spare weights.
        weights_bytes: weights on the engine's device, freed by levels deeper than a trim.
        above_floor_bytes: resident set above the floor; None on CUDA and before the first floor.
    """

    idle_bytes: int
    droppable_bytes: int
    weights_bytes: int
    above_floor_bytes: int | None


class Promises:
    """Keeps floor and growth, and predicts what a cleanup would free; thread-safe.

    Args:
        allocator: of the engine's device.
        ledger: of what is kept on purpose.
        device: "cpu", "cuda" or "cuda:N", where the engine computes.
        resident_sets: read the program's physical memory.

    Attributes:
        device_use_bytes: what the engines' processes hold on the GPU, CUDA's own part included, as
            the driver told last; None where that is unknown.
    """

    def __init__(
        self,
        allocator: TensorAllocator,
        ledger: Ledger,
        device: str,
        resident_sets: ResidentSets | None = None,
    ) -> None:
        self.device_use_bytes: int | None = None
        self._allocator = allocator
        self._ledger = ledger
        self._on_cuda = device.startswith("cuda")
        self._resident_sets = resident_sets or ResidentSets()
        self._lock = threading.Lock()
        self._floor_bytes: int | None = None
        self._kept_at_floor = 0
        self._growth_bytes = 0
        self._growth_from: int | None = None

    def note_floor(self) -> None:
        """Take the physical memory, less what the ledger records, as what no cleanup frees."""
        kept = _host_bytes(self._ledger.snapshot())
        resident = self._resident_sets.total_bytes()
        with self._lock:
            self._floor_bytes = max(0, resident - kept)
            self._kept_at_floor = kept
            self._growth_bytes = 0
            if self._growth_from is not None:
                self._growth_from = resident

    def begin_growth(self) -> None:
        """Start of a job: its growth counts from the current resident set."""
        with self._lock:
            self._growth_from = self._resident_sets.total_bytes()

    def end_growth(self) -> None:
        """Add the growth of the resident set since `begin_growth`, or since a floor noted later."""
        resident = self._resident_sets.total_bytes()
        with self._lock:
            begun, self._growth_from = self._growth_from, None
        if begun is not None:
            self.note_growth(resident - begun)

    def note_growth(self, grown_bytes: int) -> None:
        """Add the growth of the resident set by one job; negative where it shrank."""
        with self._lock:
            self._growth_bytes = max(0, self._growth_bytes + grown_bytes)

    def promise(self, level: CleanupLevel, owners: Collection[str] | None = None) -> Promise:
        """Return what a cleanup would free.

        Includes the growth by a running job: the cleanup runs between two pieces of its work, when
        the buffers of the last one are free.

        Args:
            level: how deep it would go.
            owners: whose caches it would drop; None for all.
        """
        kept, tensors = self._ledger.snapshot(), self._allocator.read()
        use = self._resident_sets.read()
        if level is CleanupLevel.UNLOAD and use.engines:
            return self._end(kept, tensors, use, owners)
        outlook = self.outlook(kept, tensors, use.total_bytes, owners, at_safe_point=True)
        promised = outlook.idle_bytes + outlook.droppable_bytes
        if level is CleanupLevel.UNLOAD or (level is CleanupLevel.OFFLOAD and self._on_cuda):
            promised += outlook.weights_bytes
        return Promise(promised, exact=self._on_cuda)

    def refresh(self) -> None:
        """Have the next promise read anew what changes little and takes long to find out."""
        self._resident_sets.refresh()

    def outlook(
        self,
        kept: LedgerSnapshot,
        tensors: AllocatorReading,
        resident_bytes: int,
        owners: Collection[str] | None = None,
        *,
        at_safe_point: bool = False,
    ) -> Outlook:
        """Return the parts of the promise for figures that were just taken.

        Args:
            kept: the ledger's account.
            tensors: the allocator's figures.
            resident_bytes: the program's physical memory.
            owners: whose caches count as droppable; None for all.
            at_safe_point: count the growth by a running job as idle instead of workspace, as it
                will be between two pieces of its work.
        """
        droppable = sum(
            entry.size_bytes
            for entry in kept.entries
            if entry.on_device == self._on_cuda
            and self._trim_drops(entry.kind, entry.owner, owners)
        )
        weights = kept.total_bytes(kinds={LedgerKind.WEIGHTS}, on_device=self._on_cuda)
        if self._on_cuda:
            return Outlook(tensors.reclaimable_bytes or 0, droppable, weights, None)
        idle, above = self._idle_host_bytes(_host_bytes(kept), resident_bytes, at_safe_point)
        return Outlook(idle, droppable, weights, above)

    def _end(
        self,
        kept: LedgerSnapshot,
        tensors: AllocatorReading,
        use: HostUse,
        owners: Collection[str] | None,
    ) -> Promise:
        """Return what comes back when the engines' processes end, and our own caches go."""
        if self._on_cuda:
            if self.device_use_bytes is None:
                # without the driver's word, CUDA's own part is not known
                return Promise(tensors.reserved_bytes or 0, exact=False)
            return Promise(self.device_use_bytes, exact=True)
        # the other kinds lie in the engines' processes
        results = sum(
            entry.size_bytes
            for entry in kept.entries
            if entry.kind is LedgerKind.RESULTS and (owners is None or entry.owner in owners)
        )
        measured = all(each.measured for each in use.engines)
        return Promise(use.engines_bytes + results, exact=measured)

    def _trim_drops(self, kind: LedgerKind, owner: str, owners: Collection[str] | None) -> bool:
        if kind is LedgerKind.WORKSPACE:
            # the engine's own, whatever the owners; on the host the resident set includes it
            return self._on_cuda
        if kind is LedgerKind.SPARE_WEIGHTS:
            return True
        return kind in CACHE_KINDS and (owners is None or owner in owners)

    def _idle_host_bytes(
        self, kept_bytes: int, resident_bytes: int, at_safe_point: bool
    ) -> tuple[int, int | None]:
        with self._lock:
            if self._floor_bytes is None:
                return 0, None
            above = max(0, resident_bytes - kept_bytes - self._floor_bytes)
            gained = max(0, kept_bytes - self._kept_at_floor)
            growth = self._growth_bytes
            if at_safe_point and self._growth_from is not None:
                growth += max(0, resident_bytes - self._growth_from)
            return min(above, max(0, growth - gained)), above


def _host_bytes(kept: LedgerSnapshot) -> int:
    """Add up what is kept in host memory on purpose; a cleanup frees the workspace."""
    return sum(
        entry.size_bytes
        for entry in kept.entries
        if not entry.on_device and entry.kind is not LedgerKind.WORKSPACE
    )
