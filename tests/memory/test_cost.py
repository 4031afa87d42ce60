"""What one piece of work cost."""

from __future__ import annotations

import json

import pytest

from glmtts_core.memory import system
from glmtts_core.memory.allocator import CudaAllocator, HostAllocator
from glmtts_core.memory.cost import CostMeter, MemoryCost
from glmtts_core.memory.ledger import Ledger
from glmtts_core.memory.monitor import MemoryMonitor
from glmtts_core.memory.nvml import Nvml
from glmtts_core.memory.points import Line, MemoryPoint
from glmtts_core.memory.probe import MemoryProbe
from tests.memory.stand_in_devices import MIB, Driver, StandInCuda, device, touch_and_give_back


def gpu_monitor(driver: Driver, cuda: StandInCuda) -> tuple[MemoryMonitor, CudaAllocator]:
    allocator = CudaAllocator(0, cuda)
    return MemoryMonitor(MemoryProbe(driver, allocator, Ledger(), "cuda:0")), allocator


def test_a_short_tensor_peak_is_seen_between_two_samples():
    cuda = StandInCuda([(100 * MIB, 10 * MIB)])
    with CostMeter(*gpu_monitor(Driver(), cuda)) as meter:
        cuda.segments = [(100 * MIB, 95 * MIB)]
        cuda.memory_stats_as_nested_dict(0)
        cuda.segments = [(100 * MIB, 12 * MIB)]
    assert meter.cost.before.allocated_bytes == 10 * MIB
    assert meter.cost.peak.allocated_bytes == 95 * MIB
    assert meter.cost.after.allocated_bytes == 12 * MIB


def test_a_short_host_peak_is_seen_between_two_samples():
    if not system.reset_peak_resident_set():
        pytest.skip("this kernel does not let a process reset its peak")
    allocator = HostAllocator()
    probe = MemoryProbe(Nvml(), allocator, Ledger(), "cpu")
    with CostMeter(MemoryMonitor(probe), allocator) as meter:
        touch_and_give_back(64 * MIB)
    assert meter.cost.line is Line.RESIDENT_SET
    assert meter.cost.peak_bytes - meter.cost.before_bytes > 48 * MIB
    assert meter.cost.growth_bytes < 16 * MIB


@pytest.mark.parametrize(
    ("process", "line", "growth"),
    [((100, 130), Line.PROCESS_USED, 30), ((100, None), Line.RESERVED, 0)],
)
def test_growth_is_told_on_a_line_that_is_known_throughout(process, line, growth):
    cuda = StandInCuda([(50, 10)], uuid="a")
    driver = Driver((device(used=900, process=process[0], uuid="GPU-a"),))
    with CostMeter(*gpu_monitor(driver, cuda)) as meter:
        driver.devices = (device(used=1200, process=process[1], uuid="GPU-a"),)
    assert (meter.cost.line, meter.cost.growth_bytes) == (line, growth)


def test_a_cost_survives_being_stored():
    point = MemoryPoint(5, None, None, 4, 3, 2, 1)
    cost = MemoryCost("cuda:0", point, point, point)
    assert MemoryCost.from_dict(json.loads(json.dumps(cost.to_dict()))) == cost


@pytest.mark.parametrize("stored", [{}, {"device": "cpu", "before": {"resident_set_bytes": "5"}}])
def test_something_else_that_was_stored_is_refused(stored):
    with pytest.raises((KeyError, TypeError)):
        MemoryCost.from_dict(stored)


def test_the_cost_is_known_even_if_the_work_failed():
    cuda = StandInCuda([(50, 10)])
    meter = CostMeter(*gpu_monitor(Driver(), cuda))
    with pytest.raises(RuntimeError, match="out of memory"), meter:
        raise RuntimeError("out of memory")
    assert meter.cost.after.reserved_bytes == 50


def test_there_is_no_cost_before_the_work_has_ended():
    meter = CostMeter(*gpu_monitor(Driver(), StandInCuda()))
    with meter, pytest.raises(RuntimeError, match="finished"):
        _ = meter.cost
