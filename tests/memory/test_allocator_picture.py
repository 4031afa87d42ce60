"""Segments and blocks of PyTorch's allocator, from the structure that torch documents."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field

import pytest

from glmtts_core.memory.allocator_inspector import HISTORY_ENTRIES, AllocatorInspector
from glmtts_core.memory.allocator_picture import BlockState, picture_of

MIB = 2**20


def block(mib: float, state: str = "active_allocated") -> dict:
    size = int(mib * MIB)
    return {"size": size, "requested_size": size - 100, "state": state, "frames": []}


def segment(*blocks: dict, device: int = 0, kind: str = "large") -> dict:
    """Return one segment with the fields of ``torch.cuda.memory_snapshot()`` (torch 2.14)."""
    total = sum(each["size"] for each in blocks)
    allocated = sum(each["size"] for each in blocks if each["state"] == "active_allocated")
    return {
        "device": device,
        "address": 140_000_000_000_000,
        "total_size": total,
        "allocated_size": allocated,
        "active_size": allocated,
        "requested_size": allocated,
        "stream": 0,
        "segment_type": kind,
        "segment_pool_id": (0, 0),
        "is_expandable": False,
        "frames": [],
        "blocks": list(blocks),
    }


SNAPSHOT = [
    segment(block(1), block(0.5, "inactive"), block(0.5), kind="small"),
    segment(block(6), block(4, "inactive"), block(8), block(2, "inactive")),
    segment(block(20, "inactive")),
    segment(block(10), block(4, "active_awaiting_free"), block(6, "inactive")),
    segment(block(50), device=1),
]


@dataclass
class StandInMemory:
    """``torch.cuda.memory`` as far as the inspector uses it."""

    calls: list = field(default_factory=list)

    def memory_snapshot(self):
        return SNAPSHOT

    def _snapshot(self):
        return {"segments": SNAPSHOT, "device_traces": [[], []], "allocator_settings": {}}

    def _record_memory_history(self, enabled, *, max_entries):
        self.calls.append((enabled, max_entries))


def test_the_figures_of_one_device():
    picture = picture_of(SNAPSHOT, 0)
    assert picture.reserved_bytes == 62 * MIB
    assert picture.allocated_bytes == 25.5 * MIB
    assert picture.free_bytes == 32.5 * MIB
    assert picture.reclaimable_bytes == 20 * MIB
    assert picture.largest_free_bytes == 20 * MIB
    assert picture.fragmentation == pytest.approx(1 - 20 / 32.5)


def test_the_segments_come_largest_first_with_their_blocks_side_by_side():
    picture = picture_of(SNAPSHOT, 0)
    sizes = [each.size_bytes / MIB for each in picture.segments]
    assert sizes == sorted(sizes, reverse=True)
    for each in picture.segments:
        last = each.blocks[-1]
        assert last.offset_bytes + last.size_bytes == each.size_bytes


def test_a_block_that_another_stream_still_uses_is_neither_free_nor_a_tensor():
    waiting = picture_of([SNAPSHOT[3]], 0).segments[0]
    assert waiting.blocks[1].state is BlockState.AWAITING_FREE
    assert waiting.allocated_bytes + waiting.free_bytes == waiting.size_bytes - 4 * MIB
    assert not waiting.empty


def test_a_device_without_segments_is_not_fragmented():
    picture = picture_of([], 0)
    assert (picture.reserved_bytes, picture.largest_free_bytes, picture.fragmentation) == (0, 0, 0)


def test_the_download_is_the_pickle_that_pytorch_itself_writes():
    memory = StandInMemory()
    assert pickle.loads(AllocatorInspector("cuda:0", memory).full_snapshot()) == memory._snapshot()


def test_recording_is_switched_on_and_off():
    memory = StandInMemory()
    inspector = AllocatorInspector("cuda:0", memory)
    assert inspector.record_history(on=True)
    assert inspector.record_history(on=False)
    assert memory.calls == [("all", HISTORY_ENTRIES), (None, HISTORY_ENTRIES)]


@pytest.mark.parametrize("device", ["cpu", "cuda:1"])
def test_without_a_cuda_context_nothing_is_shown_and_none_is_created(device):
    inspector = AllocatorInspector(device)
    assert inspector.picture() is None
    assert inspector.full_snapshot() is None
    assert not inspector.record_history(on=True)
