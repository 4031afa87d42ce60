"""What a cleanup would give back, told beforehand.

On CUDA the answer is exact: torch knows its free segments and the ledger knows the caches. On the
CPU nobody keeps such an account, so the answer is an estimate between two bounds:

* what lies above the *floor*: the resident set, less all that the ledger names, as it was after
  loading and after the last cleanup. What a cleanup left behind then, it will leave behind again;
* how much the jobs since then have *grown* the process, less what the ledger has gained since.
  So memory that the web pages took for themselves is not promised.

The smaller of the two is the idle memory that the heap and the runtime's arenas hold. The caches
that the cleanup drops come on top; caches of other owners are in neither bound.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from glmtts_core.memory.allocator import AllocatorReading, TensorAllocator
from glmtts_core.memory.ledger import CACHE_KINDS, Ledger, LedgerKind, LedgerSnapshot
from glmtts_core.memory.system import resident_set_bytes


class CleanupLevel(StrEnum):
    """How deep a cleanup goes."""

    TRIM = "trim"
    OFFLOAD = "offload"
    UNLOAD = "unload"


@dataclass(frozen=True, slots=True)
class Promise:
    """Bytes that a cleanup would give back; where not exact, a page says "about"."""

    bytes: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """The parts of a promise, in bytes.

    Attributes:
        idle_bytes: used by nothing; any cleanup returns it.
        droppable_bytes: what a trim drops: caches of the owners asked for, spare weights.
        weights_bytes: weights on the engine's device, returned by going deeper than a trim.
        above_floor_bytes: resident set above the floor; None on CUDA and before the first floor.
    """

    idle_bytes: int
    droppable_bytes: int
    weights_bytes: int
    above_floor_bytes: int | None


class Promises:
    """Keeps the floor and the growth, and tells what a cleanup would give back; thread-safe.

    Args:
        allocator: of the engine's device.
        ledger: what is kept on purpose.
        device: "cpu", "cuda" or "cuda:N", where the engine computes.
        resident_set: stands in for our process's own figure.
    """

    def __init__(
        self,
        allocator: TensorAllocator,
        ledger: Ledger,
        device: str,
        resident_set: Callable[[], int] = resident_set_bytes,
    ) -> None:
        self._allocator = allocator
        self._ledger = ledger
        self._on_cuda = device.startswith("cuda")
        self._resident_set = resident_set
        self._lock = threading.Lock()
        self._floor_bytes: int | None = None
        self._kept_at_floor = 0
        self._growth_bytes = 0
        self._growth_from: int | None = None

    def note_floor(self) -> None:
        """Take the present resident set, less what the ledger names, as what no cleanup returns."""
        kept = _host_bytes(self._ledger.snapshot())
        resident = self._resident_set()
        with self._lock:
            self._floor_bytes = max(0, resident - kept)
            self._kept_at_floor = kept
            self._growth_bytes = 0
            if self._growth_from is not None:
                self._growth_from = resident

    def begin_growth(self) -> None:
        """A job begins: its growth counts from the present resident set."""
        with self._lock:
            self._growth_from = self._resident_set()

    def end_growth(self) -> None:
        """Add what the resident set grew by since `begin_growth`, or since a floor noted inside."""
        resident = self._resident_set()
        with self._lock:
            begun, self._growth_from = self._growth_from, None
        if begun is not None:
            self.note_growth(resident - begun)

    def note_growth(self, grown_bytes: int) -> None:
        """Add what one job has grown the resident set; a job that shrank it is taken off."""
        with self._lock:
            self._growth_bytes = max(0, self._growth_bytes + grown_bytes)

    def promise(self, level: CleanupLevel, owners: Collection[str] | None = None) -> Promise:
        """Tell what a cleanup would give back.

        While a job runs, what it has grown the process by so far counts too: the cleanup comes
        between two pieces of its work, when the buffers of the last one are free.

        Args:
            level: how deep it would go.
            owners: whose caches it would drop; None for all.
        """
        outlook = self.outlook(
            self._ledger.snapshot(),
            self._allocator.read(),
            self._resident_set(),
            owners,
            at_safe_point=True,
        )
        promised = outlook.idle_bytes + outlook.droppable_bytes
        if level is CleanupLevel.UNLOAD or (level is CleanupLevel.OFFLOAD and self._on_cuda):
            promised += outlook.weights_bytes
        return Promise(promised, exact=self._on_cuda)

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
            resident_bytes: our process's resident set.
            owners: whose caches count as droppable; None for all.
            at_safe_point: as it will be between two pieces of the running job's work, when what
                the job has grown the process by is idle and no longer workspace.
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

    def _trim_drops(self, kind: LedgerKind, owner: str, owners: Collection[str] | None) -> bool:
        if kind is LedgerKind.WORKSPACE:
            # the engine's own, whoever asks; in host memory the resident set counts it already
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
    """Add up what lies in host memory on purpose; workspace is what a cleanup returns."""
    return sum(
        entry.size_bytes
        for entry in kept.entries
        if not entry.on_device and entry.kind is not LedgerKind.WORKSPACE
    )
