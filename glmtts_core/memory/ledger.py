"""The bytes of everything the program keeps on purpose, by kind and by owner.

Knows nothing about how the bytes are held or how they are freed: who keeps something records it.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class LedgerKind(StrEnum):
    """What is kept."""

    WEIGHTS = "weights"
    SPARE_WEIGHTS = "spare_weights"
    VOICE_CACHE = "voice_cache"
    HISTORY = "history"
    RESULTS = "results"
    WORKSPACE = "workspace"


class WeightsPart(StrEnum):
    """The networks of which an engine with several of them keeps the weights."""

    LANGUAGE_MODEL = "language_model"
    FLOW = "flow"
    VOCODER = "vocoder"
    TOKENIZER = "tokenizer"


#: Weights in memory; the spare ones are those that the current settings do not use, which a trim
#: drops.
WEIGHT_KINDS: Final = frozenset({LedgerKind.WEIGHTS, LedgerKind.SPARE_WEIGHTS})
#: What only saves time; it costs the next synthesis something to make it again.
PREPARED_KINDS: Final = frozenset({LedgerKind.VOICE_CACHE, LedgerKind.HISTORY})
#: What the pages add up as "caches" and a trim drops; results stay on the disk.
CACHE_KINDS: Final = PREPARED_KINDS | {LedgerKind.RESULTS}


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One thing that is kept: ``owner`` is a session or an engine, ``name`` its key there.

    ``part`` tells of which network the weights are, where an engine has several.
    """

    kind: LedgerKind
    owner: str
    name: str
    size_bytes: int
    on_device: bool
    part: WeightsPart | None = None


@dataclass(frozen=True, slots=True)
class LedgerSnapshot:
    """Everything that was kept at one moment."""

    entries: tuple[LedgerEntry, ...]

    def total_bytes(
        self,
        *,
        kinds: Collection[LedgerKind] | None = None,
        owner: str | None = None,
        on_device: bool | None = None,
    ) -> int:
        """Add up the entries that fit; None leaves a condition out."""
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
        """Add up the weights of each network on the host or on the device; the others are left out.

        A network without weights there has no entry.
        """
        totals: dict[WeightsPart, int] = {}
        for entry in self.entries:
            if entry.part is not None and entry.on_device == on_device:
                totals[entry.part] = totals.get(entry.part, 0) + entry.size_bytes
        return totals


class Ledger:
    """The running account; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[tuple[LedgerKind, str, str], LedgerEntry] = {}

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
        entry = LedgerEntry(kind, owner, name, size_bytes, on_device, part)
        with self._lock:
            self._entries[kind, owner, name] = entry

    def forget(self, kind: LedgerKind, owner: str, name: str) -> None:
        """Remove one entry. Missing entries are ignored."""
        with self._lock:
            self._entries.pop((kind, owner, name), None)

    def snapshot(self) -> LedgerSnapshot:
        """Return the account as it stands."""
        with self._lock:
            return LedgerSnapshot(tuple(self._entries.values()))
