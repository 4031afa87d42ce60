"""One device is accounted for at a time, and the timeline goes on when it changes."""

from __future__ import annotations

import pytest

from glmtts_core.memory.account import MemoryAccount
from glmtts_core.memory.allocator import CudaAllocator
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.memory.nvml import Nvml

MIB = 2**20


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.record(LedgerKind.RESULTS, "anna", "on the host", 3 * MIB, on_device=False)
    ledger.record(LedgerKind.VOICE_CACHE, "anna", "on the GPU", 5 * MIB, on_device=True)
    return ledger


@pytest.fixture
def account(ledger) -> MemoryAccount:
    return MemoryAccount(Nvml(), ledger, "cpu", 5.0)


def test_after_a_move_promises_are_about_the_other_device(account):
    assert account.cleaner.promise(CleanupLevel.TRIM).bytes == 3 * MIB
    account.move_to("cuda:0")
    promise = account.cleaner.promise(CleanupLevel.TRIM)
    assert (promise.bytes, promise.exact) == (5 * MIB, True)
    assert isinstance(account.allocator, CudaAllocator)
    account.move_to("cpu")
    assert account.cleaner.promise(CleanupLevel.TRIM).bytes == 3 * MIB


def test_what_was_measured_before_a_move_stays_on_the_timeline(account):
    first = account.monitor.sample_now()
    account.move_to("cuda:0")
    assert account.monitor.latest().caches_on_device_bytes == 5 * MIB
    assert account.monitor.samples(60.0)[0] == first


def test_moving_to_where_it_is_changes_nothing(account):
    cleaner = account.cleaner
    account.move_to("cpu")
    assert account.cleaner is cleaner
