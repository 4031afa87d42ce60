"""What one session caches between syntheses: bounded, counted by the ledger, dropped by trim."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from glmtts_core.byte_units import MIB
from glmtts_core.memory.ledger import Ledger, LedgerKind

#: Bytes that one session may keep for each kind; the least recently used entry goes first.
SESSION_LIMIT_BYTES: Final = 64 * MIB


class SessionCaches:
    """A session's cached values by kind and key, least recently used first out.

    Thread-safe: the worker fills it, the page and a closing tab empty it.
    """

    def __init__(self, owner: str, ledger: Ledger, limit_bytes: int = SESSION_LIMIT_BYTES) -> None:
        self.owner = owner
        self._ledger = ledger
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[LedgerKind, str], tuple[object, int]] = OrderedDict()

    def get(self, kind: LedgerKind, key: str) -> object | None:
        """Return the value of ``key``, or None."""
        with self._lock:
            found = self._kept.get((kind, key))
            if found is None:
                return None
            self._kept.move_to_end((kind, key))
            return found[0]

    def put(
        self, kind: LedgerKind, key: str, value: object, size_bytes: int, *, on_device: bool = False
    ) -> None:
        """Keep ``value`` of ``size_bytes``; a value over the whole limit is not kept at all."""
        with self._lock:
            self._drop((kind, key))
            if size_bytes > self._limit_bytes:
                return
            self._kept[kind, key] = (value, size_bytes)
            self._ledger.record(kind, self.owner, key, size_bytes, on_device=on_device)
            while self._bytes_of(kind) > self._limit_bytes:
                self._drop(next(entry for entry in self._kept if entry[0] == kind))

    def drop(self, kind: LedgerKind, key: str) -> None:
        """Drop the value of ``key``. Missing keys are ignored."""
        with self._lock:
            self._drop((kind, key))

    @property
    def empty(self) -> bool:
        """Whether nothing is kept."""
        with self._lock:
            return not self._kept

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            for entry in list(self._kept):
                self._drop(entry)

    def _bytes_of(self, kind: LedgerKind) -> int:
        return sum(size for (of_kind, _), (_, size) in self._kept.items() if of_kind == kind)

    def _drop(self, entry: tuple[LedgerKind, str]) -> None:
        if self._kept.pop(entry, None) is not None:
            kind, key = entry
            self._ledger.forget(kind, self.owner, key)
