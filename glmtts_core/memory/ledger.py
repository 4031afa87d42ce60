"""The bytes of everything that the program keeps on purpose, by kind and by owner.

Knows nothing about how they are held or freed: whoever keeps something records it.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol


class LedgerKind(StrEnum):
    """The kinds of things that are kept."""

    WEIGHTS = "weights"
    SPARE_WEIGHTS = "spare_weights"
    VOICE_CACHE = "voice_cache"
    HISTORY = "history"
    RESULTS = "results"
    WORKSPACE = "workspace"


class WeightsPart(StrEnum):
    """Groups of networks, for engines with several."""

    LANGUAGE_MODEL = "language_model"
    FLOW = "flow"
    VOCODER = "vocoder"
    TOKENIZER = "tokenizer"


#: Weights in memory; a trim drops the spare ones, which the current settings do not use.
WEIGHT_KINDS: Final = frozenset({LedgerKind.WEIGHTS, LedgerKind.SPARE_WEIGHTS})
#: Only saves time: the next synthesis makes it again.
PREPARED_KINDS: Final = frozenset({LedgerKind.VOICE_CACHE, LedgerKind.HISTORY})
#: Shown as "caches" on the pages and dropped by a trim; results stay on disk.
CACHE_KINDS: Final = PREPARED_KINDS | {LedgerKind.RESULTS}


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One thing that is kept: ``owner`` is a session or an engine, ``name`` its key there.

    ``part`` is the network group of weights, where an engine has several.
    """

    kind: LedgerKind
    owner: str
    name: str
    size_bytes: int
    on_device: bool
    part: WeightsPart | None = None


@dataclass(frozen=True, slots=True)
class LedgerSnapshot:
    """All entries at one moment."""

    entries: tuple[LedgerEntry, ...]

    def total_bytes(
        self,
        *,
        kinds: Collection[LedgerKind] | None = None,
        owner: str | None = None,
        on_device: bool | None = None,
    ) -> int:
        """Add up the entries that match; None matches all."""
        return sum(
            entry.size_bytes
            for entry in self.entries
            if (kinds is None or entry.kind in kinds)
            and (owner is None or entry.owner == owner)
            and (on_device is None or entry.on_device == on_device)
        )

    def by_kind(self) -> dict[tuple[LedgerKind, bool], int]:
        """Add up every kind on the host and on the device: keys are (kind, on_device)."""
        totals = {(kind, on_device): 0 for kind in LedgerKind for on_device in (False, True)}
        for entry in self.entries:
            totals[entry.kind, entry.on_device] += entry.size_bytes
        return totals

    def weights_by_part(self, *, on_device: bool) -> dict[WeightsPart, int]:
        """Add up the weights of each network group on the host or on the device.

        Groups without weights there have no entry.
        """
        totals: dict[WeightsPart, int] = {}
        for entry in self.entries:
            if entry.part is not None and entry.on_device == on_device:
                totals[entry.part] = totals.get(entry.part, 0) + entry.size_bytes
        return totals


class OnChange(Protocol):
    """Receives an entry that was made or changed, or that is no longer ``there``."""

    def __call__(self, entry: LedgerEntry, *, there: bool) -> None:
        """Take note of it."""


class Ledger:
    """The running account; thread-safe.

    Args:
        on_change: told of every change, in order; must not use the ledger.
    """

    def __init__(self, on_change: OnChange | None = None) -> None:
        self._lock = threading.Lock()
        self._entries: dict[tuple[LedgerKind, str, str], LedgerEntry] = {}
        self._on_change = on_change

    def record(
        self,
        kind: LedgerKind,
        owner: str,
        name: str,
        size_bytes: int,
        *,
        on_device: bool = False,
        part: WeightsPart | None = None,
    ) -> None:
        """Record that ``owner`` keeps ``size_bytes`` as ``name``, replacing an earlier entry.

        Raises:
            ValueError: a negative size.
        """
        if size_bytes < 0:
            raise ValueError(f"{owner}/{name} cannot hold {size_bytes} bytes")
        self.keep(LedgerEntry(kind, owner, name, size_bytes, on_device, part))

    def keep(self, entry: LedgerEntry) -> None:
        """Record ``entry``, replacing an earlier one of the same kind, owner and name."""
        with self._lock:
            self._entries[entry.kind, entry.owner, entry.name] = entry
            if self._on_change is not None:
                self._on_change(entry, there=True)

    def forget(self, kind: LedgerKind, owner: str, name: str) -> None:
        """Remove one entry. Missing entries are ignored."""
        with self._lock:
            entry = self._entries.pop((kind, owner, name), None)
            if entry is not None and self._on_change is not None:
                self._on_change(entry, there=False)

    def snapshot(self) -> LedgerSnapshot:
        """Return the current entries."""
        with self._lock:
            return LedgerSnapshot(tuple(self._entries.values()))
