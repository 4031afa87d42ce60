"""torch's allocator seen through a stand-in for ``torch.cuda``, and its twin on the CPU."""

from __future__ import annotations

import subprocess
import sys

import pytest

from glmtts_core.memory.allocator import (
    AllocatorReading,
    CudaAllocator,
    HostAllocator,
    allocator_for,
)
from tests.memory.stand_in_devices import MIB, StandInCuda


def test_only_segments_without_a_live_block_are_reclaimable():
    cuda = StandInCuda([(20 * MIB, 5 * MIB), (64 * MIB, 0), (2 * MIB, 2 * MIB)])
    assert CudaAllocator(0, cuda).read() == AllocatorReading(7 * MIB, 86 * MIB, 64 * MIB)


def test_giving_back_returns_exactly_what_was_reclaimable():
    allocator = CudaAllocator(0, StandInCuda([(20 * MIB, 5 * MIB), (64 * MIB, 0)]))
    before = allocator.read()
    allocator.give_back()
    after = allocator.read()
    assert before.reserved_bytes - after.reserved_bytes == before.reclaimable_bytes
    assert after.reclaimable_bytes == 0


def test_giving_back_waits_for_the_device_before_it_empties_the_cache():
    cuda = StandInCuda()
    CudaAllocator(1, cuda).give_back()
    assert cuda.calls == ["device 1", "synchronize", "empty_cache", "ipc_collect"]


def test_the_peak_starts_anew():
    cuda = StandInCuda([(100 * MIB, 90 * MIB)])
    allocator = CudaAllocator(0, cuda)
    assert allocator.peak_allocated_bytes() == 90 * MIB
    cuda.segments = [(100 * MIB, 10 * MIB)]
    allocator.reset_peak()
    assert allocator.peak_allocated_bytes() == 10 * MIB


def test_without_a_context_nothing_is_allocated_and_none_is_made():
    cuda = StandInCuda([(20 * MIB, 5 * MIB)], initialized=False)
    allocator = CudaAllocator(0, cuda)
    allocator.reset_peak()
    allocator.give_back()
    assert allocator.read() == AllocatorReading(0, 0, 0)
    assert allocator.device_uuid() is None
    assert cuda.calls == []


@pytest.mark.process
def test_the_memory_package_does_not_import_torch_or_pynvml():
    program = (
        "import sys\n"
        "from glmtts_core.memory import advisor, allocator, cleanup, cost, layers, monitor, nvml\n"
        "allocator.CudaAllocator(0).give_back()\n"
        "assert allocator.allocator_for('cuda:0').read().reserved_bytes == 0\n"
        "print('torch' in sys.modules, 'pynvml' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False", "False"]


def test_the_host_has_no_such_figures():
    allocator = HostAllocator()
    allocator.give_back()
    assert allocator.read() == AllocatorReading(None, None, None)
    assert allocator.peak_allocated_bytes() is None


@pytest.mark.parametrize(
    ("name", "kind"), [("cpu", HostAllocator), ("cuda", CudaAllocator), ("cuda:1", CudaAllocator)]
)
def test_each_device_has_its_allocator(name, kind):
    assert isinstance(allocator_for(name), kind)


def test_another_device_is_refused():
    with pytest.raises(ValueError, match="mps"):
        allocator_for("mps")
