"""Fills and empties a real heap, cleans up, and prints what was promised and what came back.

Blocks of many sizes, with small ones that stay in between, so that the heap cannot shrink by
itself: what it holds then is what a cleanup must return.
"""

from __future__ import annotations

import ctypes
import json

from glmtts_core.memory.allocator import HostAllocator
from glmtts_core.memory.cleanup import Cleaner, CleanupLevel
from glmtts_core.memory.cost import CostMeter
from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.memory.monitor import MemoryMonitor
from glmtts_core.memory.nvml import Nvml
from glmtts_core.memory.probe import MemoryProbe

KIB = 1024
CACHE_KIB = 20_000


class Heap:
    """Blocks straight from malloc, every page of them touched."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)
        self._libc.malloc.restype = ctypes.c_void_p
        self._libc.malloc.argtypes = [ctypes.c_size_t]
        self._libc.free.argtypes = [ctypes.c_void_p]

    def take(self, kib: int) -> int:
        """Take and fill one block."""
        address = self._libc.malloc(kib * KIB)
        ctypes.memset(address, 1, kib * KIB)
        return address

    def give(self, blocks: list[int]) -> None:
        """Free ``blocks`` and forget them."""
        while blocks:
            self._libc.free(blocks.pop())


def main() -> None:
    ledger, allocator, heap = Ledger(), HostAllocator(), Heap()
    monitor = MemoryMonitor(MemoryProbe(Nvml(), allocator, ledger, "cpu"))
    cleaner = Cleaner(monitor, allocator, ledger, "cpu")
    cleaner.clean(CleanupLevel.TRIM)
    cleaner.note_floor()
    stay: list[int] = []
    cache: list[int] = []
    for job in range(3):
        cleaner.begin_growth()
        with CostMeter(monitor, allocator):
            gone = []
            for number in range(4000):
                gone.append(heap.take(4 + 8 * (number % 5)))
                if number % 40 == 0:
                    stay.append(heap.take(1))
            if job == 1:
                cache += [heap.take(100) for _ in range(CACHE_KIB // 100)]
                ledger.record(LedgerKind.VOICE_CACHE, "anna", "voice", CACHE_KIB * KIB)
            heap.give(gone)
        cleaner.end_growth()
    page = heap.take(30_000)  # grown outside of any job: not to be promised
    report = cleaner.clean(
        CleanupLevel.TRIM,
        drop=[
            lambda: heap.give(cache),
            lambda: ledger.forget(LedgerKind.VOICE_CACHE, "anna", "voice"),
        ],
        owners=["anna"],
    )
    left = cleaner.promise(CleanupLevel.TRIM)
    heap.give([page, *stay])
    print(json.dumps({**report.to_dict(), "left": left.bytes}))  # noqa: T201


if __name__ == "__main__":
    main()
