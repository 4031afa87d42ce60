"""Looks into a process in which engines compute: its heap, its objects, its tensors' allocator.

Knows nothing about engines but their names.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Protocol

from glmtts_core.memory.allocator_inspector import AllocatorInspector
from glmtts_core.memory.allocator_picture import AllocatorPicture
from glmtts_core.memory.census import Counted, census
from glmtts_core.memory.process_memory import HeapReading, heap


class Inspector(Protocol):
    """Looks into one process; from any thread. What cannot be found out is None or False."""

    @property
    def pid(self) -> int:
        """Of the process."""

    @property
    def engine(self) -> str | None:
        """Name of the engine whose own process it is; None for ours."""

    def heap(self) -> HeapReading | None:
        """Return the figures of the C heap."""

    def census(self) -> tuple[Counted, ...] | None:
        """Return what exists there, counted."""

    def picture(self) -> AllocatorPicture | None:
        """Return segments and blocks of the tensors' allocator."""

    def record_history(self, *, on: bool) -> bool:
        """Start or stop recording the allocator's calls."""

    def full_snapshot(self) -> bytes | None:
        """Return the pickle that PyTorch's viewer (pytorch.org/memory_viz) opens."""


@dataclass(frozen=True, slots=True)
class OwnInspector:
    """Looks into this process.

    Attributes:
        device: "cpu", "cuda" or "cuda:N", whose allocator is looked into.
    """

    device: str

    @property
    def pid(self) -> int:
        """Our own."""
        return os.getpid()

    @property
    def engine(self) -> None:
        """None: the process is ours."""
        return None

    def heap(self) -> HeapReading | None:
        """Return the figures of the C heap."""
        return heap()

    def census(self) -> tuple[Counted, ...]:
        """Return what exists here, counted."""
        return census()

    def picture(self) -> AllocatorPicture | None:
        """Return segments and blocks of torch's allocator."""
        return AllocatorInspector(self.device).picture()

    def record_history(self, *, on: bool) -> bool:
        """Start or stop recording the allocator's calls."""
        return AllocatorInspector(self.device).record_history(on=on)

    def full_snapshot(self) -> bytes | None:
        """Return torch's own snapshot, pickled."""
        return AllocatorInspector(self.device).full_snapshot()
