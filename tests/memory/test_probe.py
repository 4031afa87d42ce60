"""One reading of everything, and how it finds the engine's GPU."""

from __future__ import annotations

import psutil
import pytest

from glmtts_core.memory import system
from glmtts_core.memory.allocator import CudaAllocator, HostAllocator
from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.memory.nvml import Nvml
from glmtts_core.memory.probe import MemoryProbe
from tests.memory.stand_in_devices import (
    MIB,
    Driver,
    HostRig,
    StandInCuda,
    device,
    touch_and_give_back,
)


def cuda_probe(devices, cuda: StandInCuda, index: int = 0, ledger: Ledger | None = None):
    allocator = CudaAllocator(index, cuda)
    return MemoryProbe(Driver(tuple(devices)), allocator, ledger or Ledger(), f"cuda:{index}")


def test_the_real_process_and_machine_are_read():
    taken = MemoryProbe(Nvml(), HostAllocator(), Ledger(), "cpu").read()
    told = psutil.Process().memory_info().rss
    # the kernel sums up its per-thread counts only now and then
    assert taken.resident_set_bytes == pytest.approx(told, abs=8 * MIB)
    assert taken.host_total_bytes == psutil.virtual_memory().total
    assert 0 < taken.host_available_bytes < taken.host_total_bytes
    assert taken.main is None


def test_the_kernel_count_of_the_peak_sees_what_no_sample_saw():
    if not system.reset_peak_resident_set():
        pytest.skip("this kernel does not let a process reset its peak")
    before = system.resident_set_bytes()
    touch_and_give_back(64 * MIB)
    assert system.peak_resident_set_bytes() - before > 48 * MIB


def test_the_ledger_is_split_by_kind_and_place():
    ledger = Ledger()
    ledger.record(LedgerKind.WEIGHTS, "engine", "model", 40 * MIB, on_device=True)
    ledger.record(LedgerKind.WEIGHTS, "engine", "frontend", 10 * MIB)
    ledger.record(LedgerKind.VOICE_CACHE, "anna", "voice", 5 * MIB, on_device=True)
    ledger.record(LedgerKind.RESULTS, "anna", "one", 2 * MIB)
    cuda = StandInCuda([(60 * MIB, 50 * MIB), (30 * MIB, 0)])
    taken = cuda_probe([device(used=200 * MIB, process=120 * MIB)], cuda, ledger=ledger).read()
    assert (taken.weights_bytes, taken.weights_on_device_bytes) == (50 * MIB, 40 * MIB)
    assert (taken.caches_bytes, taken.caches_on_device_bytes) == (7 * MIB, 5 * MIB)
    assert taken.workspace_bytes == 5 * MIB
    assert taken.idle_bytes == 30 * MIB


def test_the_engine_card_is_found_by_its_uuid_once_torch_knows_it():
    cuda = StandInCuda(uuid="b")
    taken = cuda_probe([device(0, uuid="GPU-a"), device(1, uuid="GPU-b")], cuda, index=0).read()
    assert taken.main_device == 1


@pytest.mark.parametrize(
    ("visible", "index", "expected"),
    [
        (None, 1, 1),
        ("1,0", 0, 1),
        ("GPU-b", 0, 1),
        ("", 0, None),
        ("0", 1, None),
        ("MIG-something", 0, None),
    ],
)
def test_before_that_the_environment_tells(monkeypatch, visible, index, expected):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    cards = [device(0, uuid="GPU-a"), device(1, uuid="GPU-b")]
    taken = cuda_probe(cards, StandInCuda(initialized=False), index).read()
    assert taken.main_device == expected


def test_a_process_figure_below_what_torch_holds_is_somebody_elses():
    cuda = StandInCuda([(500 * MIB, 400 * MIB)], uuid="a")
    probe = cuda_probe([device(uuid="GPU-a", used=900 * MIB, process=300 * MIB)], cuda)
    assert probe.read().main.process_used_bytes is None
    assert [each.key for each in probe.messages] == ["memory.nvml.process_hidden"]


def test_on_the_cpu_work_in_progress_is_workspace_and_later_idle():
    rig = HostRig()
    rig.cleaner.note_floor()
    rig.resident.bytes += 300 * MIB
    assert rig.probe.read().workspace_bytes == 300 * MIB
    rig.monitor.probe.promises.note_growth(300 * MIB)
    taken = rig.probe.read()
    assert (taken.workspace_bytes, taken.idle_bytes) == (0, 300 * MIB)
