"""The segments and blocks of PyTorch's CUDA allocator, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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
