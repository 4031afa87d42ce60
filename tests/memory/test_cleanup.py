"""What a cleanup promises, does and reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import weakref

import pytest

from glmtts_core.memory.allocator import CudaAllocator
from glmtts_core.memory.cleanup import Cleaner, CleanupLevel, CleanupReport, settle_garbage
from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.memory.monitor import EventKind, MemoryMonitor
from glmtts_core.memory.points import Line
from glmtts_core.memory.probe import MemoryProbe
from glmtts_core.memory.promises import Promise
from glmtts_core.memory.system import malloc_trim
from tests.memory.conftest import ROOT
from tests.memory.stand_in_devices import MIB, Driver, HostRig, StandInCuda


@pytest.fixture
def rig():
    """A CPU engine with 88 MiB of weights, loaded and trimmed."""
    rig = HostRig()
    rig.ledger.record(LedgerKind.WEIGHTS, "engine", "model", 88 * MIB)
    rig.resident.bytes = 300 * MIB
    rig.cleaner.note_floor()
    return rig


def trim_mib(rig: HostRig, owners=None) -> float:
    return rig.cleaner.promise(CleanupLevel.TRIM, owners).bytes / MIB


def job(rig: HostRig, grown_mib: int) -> None:
    rig.resident.bytes += grown_mib * MIB
    rig.monitor.probe.promises.note_growth(grown_mib * MIB)


def keep(rig: HostRig, owner: str, mib: int, kind: LedgerKind = LedgerKind.VOICE_CACHE) -> None:
    rig.ledger.record(kind, owner, "kept", mib * MIB)
    job(rig, mib)


def trimmed(rig: HostRig, kind: LedgerKind) -> CleanupReport:
    """Trim; what `keep` recorded for anna goes."""
    return rig.cleaner.clean(
        CleanupLevel.TRIM, drop=[lambda: rig.ledger.forget(kind, "anna", "kept")]
    )


def test_before_a_floor_is_known_only_caches_are_promised():
    rig = HostRig()
    job(rig, 100)
    rig.ledger.record(LedgerKind.HISTORY, "anna", "last", 5 * MIB)
    assert trim_mib(rig) == 5


def test_after_loading_nothing_is_promised(rig):
    assert rig.cleaner.promise(CleanupLevel.TRIM) == Promise(0, exact=False)


def test_what_jobs_left_behind_is_promised(rig):
    job(rig, 200)
    job(rig, 100)
    assert trim_mib(rig) == 300


def test_growth_outside_of_jobs_is_not_promised(rig):
    job(rig, 200)
    rig.resident.bytes += 500 * MIB
    assert trim_mib(rig) == 200


def test_what_the_heap_gave_back_by_itself_is_not_promised(rig):
    job(rig, 200)
    rig.resident.bytes -= 150 * MIB
    assert trim_mib(rig) == 50


def test_a_job_that_shrank_the_process_is_taken_off(rig):
    job(rig, 200)
    job(rig, -150)
    rig.resident.bytes += 500 * MIB
    assert trim_mib(rig) == 50


def test_only_caches_of_the_owners_asked_for_are_promised(rig):
    job(rig, 100)
    keep(rig, "anna", 30)
    keep(rig, "bert", 7)
    assert trim_mib(rig, ["anna"]) == 130
    assert trim_mib(rig, ["bert"]) == 107
    assert trim_mib(rig, []) == 100
    assert trim_mib(rig) == 137


def test_results_in_memory_are_dropped_too_and_cost_the_next_synthesis_nothing(rig):
    keep(rig, "anna", 30, LedgerKind.RESULTS)
    assert trim_mib(rig) == 30
    report = trimmed(rig, LedgerKind.RESULTS)
    assert report.next_cost == "memory.next_cost.nothing"


def test_weights_that_a_job_loaded_later_are_not_promised_by_a_trim(rig):
    rig.ledger.record(LedgerKind.WEIGHTS, "engine", "second part", 60 * MIB)
    job(rig, 160)
    assert trim_mib(rig) == 100


def test_unloading_promises_the_weights_on_top(rig):
    job(rig, 100)
    keep(rig, "anna", 30)
    assert rig.cleaner.promise(CleanupLevel.UNLOAD).bytes == (100 + 30 + 88) * MIB


def test_on_the_cpu_there_is_nowhere_to_offload_weights_to(rig):
    job(rig, 100)
    assert rig.cleaner.promise(CleanupLevel.OFFLOAD).bytes == 100 * MIB


def test_a_cleanup_reports_what_came_back_and_sets_the_floor_anew(rig):
    job(rig, 200)

    def drop() -> None:
        rig.resident.bytes -= 190 * MIB

    report = rig.cleaner.clean(CleanupLevel.TRIM, drop=[drop])
    assert report.promised == Promise(200 * MIB, exact=False)
    assert report.regained_bytes == report.by_layer["resident_set"] == 190 * MIB
    assert report.next_cost == "memory.next_cost.nothing"
    assert trim_mib(rig) == 0


def test_after_unloading_and_loading_again_promises_are_right(rig):
    def drop() -> None:
        rig.ledger.forget(LedgerKind.WEIGHTS, "engine", "model")
        rig.resident.bytes -= 88 * MIB

    report = rig.cleaner.clean(CleanupLevel.UNLOAD, drop=[drop])
    assert report.regained_bytes == report.promised.bytes == 88 * MIB
    assert report.next_cost == "memory.next_cost.reload"
    rig.ledger.record(LedgerKind.WEIGHTS, "engine", "model", 88 * MIB)
    job(rig, 88)
    assert trim_mib(rig) == 0
    job(rig, 40)
    assert trim_mib(rig) == 40


def test_memory_that_rose_meanwhile_is_no_negative_regain(rig):
    def drop() -> None:
        rig.resident.bytes += 5 * MIB

    report = rig.cleaner.clean(CleanupLevel.TRIM, drop=[drop])
    assert report.regained_bytes == 0
    assert report.by_layer["resident_set"] == -5 * MIB


def test_dropped_caches_are_what_the_next_synthesis_pays(rig):
    keep(rig, "anna", 30)
    report = trimmed(rig, LedgerKind.VOICE_CACHE)
    assert report.next_cost == "memory.next_cost.caches"
    assert report.by_layer["caches"] == 30 * MIB


@pytest.mark.parametrize(
    ("level", "kind"),
    [
        (CleanupLevel.TRIM, EventKind.CLEANUP),
        (CleanupLevel.OFFLOAD, EventKind.CLEANUP),
        (CleanupLevel.UNLOAD, EventKind.UNLOAD),
    ],
)
def test_a_cleanup_is_marked_on_the_timeline(rig, level, kind):
    rig.cleaner.clean(level)
    assert [event.kind for event in rig.monitor.events(60)] == [kind]


def test_a_report_can_be_sent_as_json(rig):
    job(rig, 3)
    sent = json.loads(json.dumps(rig.cleaner.clean(CleanupLevel.TRIM).to_dict()))
    assert sent["promised"] == {"bytes": 3 * MIB, "exact": False}
    assert (sent["level"], sent["line"]) == ("trim", "resident_set_bytes")


class Knot:
    """Refers to itself: only the collector frees it."""

    def __init__(self) -> None:
        self.me = self


def gpu_rig(cuda: StandInCuda) -> tuple[Cleaner, Ledger]:
    allocator, ledger = CudaAllocator(0, cuda), Ledger()
    monitor = MemoryMonitor(MemoryProbe(Driver(), allocator, ledger, "cuda:0"))
    return Cleaner(monitor, allocator, ledger, "cuda:0"), ledger


def test_on_cuda_references_go_first_then_garbage_then_the_cache():
    cuda = StandInCuda([(500 * MIB, 0)])
    cleaner, _ = gpu_rig(cuda)
    knots = [Knot()]
    weakref.finalize(knots[0], cuda.calls.append, "collected")

    def drop() -> None:
        cuda.calls.append("dropped")
        knots.clear()

    cleaner.clean(CleanupLevel.TRIM, drop=[drop])
    assert cuda.calls[:2] == ["dropped", "collected"]
    assert cuda.calls.index("collected") < cuda.calls.index("empty_cache")


def test_on_cuda_the_promise_is_exact_and_kept():
    cuda = StandInCuda([(400 * MIB, 400 * MIB), (64 * MIB, 0), (32 * MIB, 32 * MIB)])
    cleaner, ledger = gpu_rig(cuda)
    ledger.record(LedgerKind.WEIGHTS, "engine", "model", 400 * MIB, on_device=True)
    ledger.record(LedgerKind.VOICE_CACHE, "anna", "voice", 32 * MIB, on_device=True)
    ledger.record(LedgerKind.HISTORY, "anna", "on the host", 5 * MIB)

    def drop() -> None:
        ledger.forget(LedgerKind.VOICE_CACHE, "anna", "voice")
        ledger.forget(LedgerKind.HISTORY, "anna", "on the host")
        cuda.segments[2] = (32 * MIB, 0)

    assert cleaner.promise(CleanupLevel.UNLOAD) == Promise((400 + 96) * MIB, exact=True)
    assert cleaner.promise(CleanupLevel.OFFLOAD) == Promise((400 + 96) * MIB, exact=True)
    report = cleaner.clean(CleanupLevel.TRIM, drop=[drop], owners=["anna"])
    assert report.promised == Promise(96 * MIB, exact=True)
    assert (report.line, report.regained_bytes) == (Line.RESERVED, 96 * MIB)


def test_a_trim_promises_the_weights_that_the_settings_do_not_use():
    cuda = StandInCuda([(400 * MIB, 400 * MIB), (80 * MIB, 80 * MIB)])
    cleaner, ledger = gpu_rig(cuda)
    ledger.record(LedgerKind.WEIGHTS, "engine", "model", 400 * MIB, on_device=True)
    ledger.record(LedgerKind.SPARE_WEIGHTS, "engine", "vocoder", 80 * MIB, on_device=True)

    def drop() -> None:
        ledger.forget(LedgerKind.SPARE_WEIGHTS, "engine", "vocoder")
        cuda.segments[1] = (80 * MIB, 0)

    assert cleaner.promise(CleanupLevel.UNLOAD) == Promise(480 * MIB, exact=True)
    report = cleaner.clean(CleanupLevel.TRIM, drop=[drop], owners=["anna"])
    assert (report.promised, report.regained_bytes) == (Promise(80 * MIB, exact=True), 80 * MIB)


def test_a_drop_that_fails_keeps_nothing_else_from_being_freed():
    cuda = StandInCuda([(64 * MIB, 0)])
    cleaner, _ = gpu_rig(cuda)

    def fail() -> None:
        raise RuntimeError("stuck")

    with pytest.raises(RuntimeError, match="stuck"):
        cleaner.clean(CleanupLevel.TRIM, drop=[fail, lambda: cuda.calls.append("dropped")])
    assert cuda.calls[0] == "dropped"
    assert cuda.segments == []


@pytest.mark.usefixtures("real_freezing")
def test_settled_objects_that_refer_to_themselves_are_freed_by_unloading(rig):
    knots = [Knot()]
    alive = weakref.ref(knots[0])
    settle_garbage()
    rig.cleaner.clean(CleanupLevel.TRIM, drop=[knots.clear])
    assert alive() is not None
    rig.cleaner.clean(CleanupLevel.UNLOAD)
    assert alive() is None


@pytest.mark.process
def test_a_real_heap_gives_back_what_was_promised():
    if not malloc_trim():
        pytest.skip("handing heap pages back needs glibc")
    ran = subprocess.run(
        [sys.executable, "-m", "tests.memory.heap_child"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "MALLOC_ARENA_MAX": "1"},
    )
    report = json.loads(ran.stdout)
    promised, regained = report["promised"]["bytes"], report["regained_bytes"]
    assert promised > 80 * MIB
    # the estimate's aim on the CPU
    assert regained == pytest.approx(promised, rel=0.2)
    assert report["left"] < promised / 20


def test_a_cleanup_inside_a_job_leaves_the_growth_after_it_to_be_promised(rig):
    promises = rig.monitor.probe.promises
    job(rig, 200)
    promises.begin_growth()

    def give_back() -> None:
        rig.resident.bytes -= 200 * MIB

    rig.cleaner.clean(CleanupLevel.TRIM, drop=[give_back])
    rig.resident.bytes += 180 * MIB
    promises.end_growth()
    assert rig.cleaner.promise(CleanupLevel.TRIM).bytes == pytest.approx(180 * MIB, rel=0.01)


def test_what_a_running_job_has_grown_is_promised_but_drawn_as_workspace():
    rig = HostRig()
    rig.cleaner.note_floor()
    rig.cleaner.begin_growth()
    rig.resident.bytes += 120 * MIB
    assert rig.cleaner.promise(CleanupLevel.TRIM).bytes == 120 * MIB
    reading = rig.probe.read()
    assert (reading.idle_bytes, reading.workspace_bytes) == (0, 120 * MIB)
    rig.cleaner.end_growth()
    assert rig.probe.read().idle_bytes == 120 * MIB
