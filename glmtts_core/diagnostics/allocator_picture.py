"""The segments and blocks of PyTorch's CUDA allocator, and the history of its calls.

torch is never imported here: until something else has imported it, there is nothing to show.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from glmtts_core.memory.allocator import imported_cuda

#: Calls that the recorded history keeps; some hundred bytes each, and a few thousand a synthesis.
HISTORY_ENTRIES: Final = 100_000


class BlockState(StrEnum):
    """The states of a block, by PyTorch's names."""

    ACTIVE = "active_allocated"
    AWAITING_FREE = "active_awaiting_free"
    PENDING_FREE = "active_pending_free"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a segment."""

    offset_bytes: int
    size_bytes: int
    state: BlockState


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of memory that the allocator holds from the driver.

    Attributes:
        address: where it lies on the device.
        size_bytes: its size.
        blocks: its blocks, by address.
    """

    address: int
    size_bytes: int
    blocks: tuple[Block, ...]

    @property
    def allocated_bytes(self) -> int:
        """In use by tensors."""
        return sum(block.size_bytes for block in self.blocks if block.state is BlockState.ACTIVE)

    @property
    def free_bytes(self) -> int:
        """Free for new tensors, though not always in one piece."""
        return sum(block.size_bytes for block in self.blocks if block.state is BlockState.INACTIVE)

    @property
    def empty(self) -> bool:
        """Whether a cleanup gives it back to the driver."""
        return self.free_bytes == self.size_bytes


@dataclass(frozen=True, slots=True)
class AllocatorPicture:
    """All segments of one device, the largest first."""

    segments: tuple[Segment, ...]

    @property
    def reserved_bytes(self) -> int:
        """Held from the driver."""
        return sum(segment.size_bytes for segment in self.segments)

    @property
    def allocated_bytes(self) -> int:
        """In use by tensors."""
        return sum(segment.allocated_bytes for segment in self.segments)

    @property
    def free_bytes(self) -> int:
        """Held, but not in use."""
        return sum(segment.free_bytes for segment in self.segments)

    @property
    def reclaimable_bytes(self) -> int:
        """In segments without a live block: what a cleanup gives back."""
        return sum(segment.size_bytes for segment in self.segments if segment.empty)

    @property
    def largest_free_bytes(self) -> int:
        """Size of the largest free block; a larger tensor needs new memory from the driver."""
        sizes = [
            block.size_bytes
            for segment in self.segments
            for block in segment.blocks
            if block.state is BlockState.INACTIVE
        ]
        return max(sizes, default=0)

    @property
    def fragmentation(self) -> float:
        """Share of the free bytes outside the largest free block, 0 (one piece) to 1."""
        free = self.free_bytes
        return 1.0 - self.largest_free_bytes / free if free else 0.0


class CudaMemory(Protocol):
    """The part of ``torch.cuda.memory`` that is used here; two of its names begin with ``_``."""

    def memory_snapshot(self) -> Sequence[Mapping[str, Any]]:
        """Every segment of every device."""

    def _snapshot(self) -> Mapping[str, Any]:
        """Segments, settings and the recorded history."""

    def _record_memory_history(self, enabled: str | None, *, max_entries: int) -> None:
        """Record from now on, or stop with None."""


class AllocatorInspector:
    """Looks into torch's allocator on one device; never creates a CUDA context.

    The CPU has no such allocator: its tensors come from the C heap (`process_memory.heap`).

    Args:
        device: "cpu", "cuda" or "cuda:N".
        memory: stands in for ``torch.cuda.memory``.
    """

    def __init__(self, device: str, memory: CudaMemory | None = None) -> None:
        kind, _, index = device.partition(":")
        self._on_cuda = kind == "cuda"
        self._index = int(index or 0)
        self._given = memory

    def picture(self) -> AllocatorPicture | None:
        """Return segments and blocks; None without a CUDA context."""
        memory = self._memory()
        return None if memory is None else picture_of(memory.memory_snapshot(), self._index)

    def full_snapshot(self) -> bytes | None:
        """Return the pickle that PyTorch's viewer (pytorch.org/memory_viz) opens; None likewise."""
        memory = self._memory()
        return None if memory is None else pickle.dumps(memory._snapshot())

    def record_history(self, *, on: bool) -> bool:
        """Start or stop recording the allocator's calls; False without a CUDA context."""
        memory = self._memory()
        if memory is None:
            return False
        memory._record_memory_history("all" if on else None, max_entries=HISTORY_ENTRIES)
        return True

    def _memory(self) -> CudaMemory | None:
        if self._given is not None:
            return self._given
        cuda = imported_cuda() if self._on_cuda else None
        if cuda is None or not cuda.is_initialized():
            return None
        memory: CudaMemory = cuda.memory  # type: ignore[attr-defined]
        return memory


def picture_of(snapshot: Sequence[Mapping[str, Any]], index: int) -> AllocatorPicture:
    """Read the structure that ``torch.cuda.memory_snapshot()`` returns, for one device."""
    segments = [_segment(entry) for entry in snapshot if entry["device"] == index]
    return AllocatorPicture(tuple(sorted(segments, key=lambda each: -each.size_bytes)))


def _segment(entry: Mapping[str, Any]) -> Segment:
    blocks, offset = [], 0
    for block in entry["blocks"]:
        # the blocks lie one after the other and fill the segment
        blocks.append(Block(offset, int(block["size"]), BlockState(block["state"])))
        offset += int(block["size"])
    return Segment(int(entry["address"]), int(entry["total_size"]), tuple(blocks))
