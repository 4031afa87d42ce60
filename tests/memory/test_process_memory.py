"""What the kernel and the C library report about a process agrees with what was allocated."""

from __future__ import annotations

import os

import numpy as np
import pytest

from glmtts_core.memory.process_memory import heap, mapping_kinds
from glmtts_core.memory.system import resident_set_bytes

MIB = 2**20
#: More than the kernel ever numbers (proc(5), pid_max).
NOBODY = 2**22 + 1


def test_the_kinds_of_mappings_add_up_to_the_resident_set():
    kinds = mapping_kinds(os.getpid())
    in_all = kinds.anonymous_bytes + kinds.file_bytes
    assert in_all == kinds.private_bytes + kinds.shared_bytes
    assert in_all == pytest.approx(resident_set_bytes(), rel=0.1)


def test_of_a_process_that_is_gone_nothing_is_known():
    assert mapping_kinds(NOBODY) is None


def test_large_blocks_show_in_the_heap_and_in_the_anonymous_part():
    heap_before, kinds_before = heap(), mapping_kinds(os.getpid())
    block = np.ones(64 * MIB, np.uint8)
    heap_after, kinds_after = heap(), mapping_kinds(os.getpid())
    assert len(block) == 64 * MIB
    grown = heap_after.mapped_bytes + heap_after.used_bytes
    assert grown - heap_before.mapped_bytes - heap_before.used_bytes >= 60 * MIB
    assert kinds_after.anonymous_bytes - kinds_before.anonymous_bytes >= 60 * MIB
