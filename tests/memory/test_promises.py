"""What is promised of engines in processes of their own, which give everything back."""

from __future__ import annotations

import pytest

from glmtts_core.memory.allocator import AllocatorReading
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.memory.promises import Promise, Promises
from glmtts_core.memory.resident_sets import ProcessUse
from tests.memory.stand_in_devices import MIB, ResidentSet

TRIM, OFFLOAD, UNLOAD = CleanupLevel
ENGINES = (
    ProcessUse(1, "One", 500 * MIB, 400 * MIB),
    ProcessUse(2, "Two", 90 * MIB, 60 * MIB),
)


class Allocator:
    """Answers with figures of engines' processes."""

    def __init__(self, on_cuda: bool) -> None:
        known = AllocatorReading(700 * MIB, 900 * MIB, 150 * MIB)
        self._reading = known if on_cuda else AllocatorReading(None, None, None)

    def read(self) -> AllocatorReading:
        return self._reading


def promises(device: str, engines: tuple[ProcessUse, ...] = ENGINES) -> Promises:
    ledger = Ledger()
    on_device = device != "cpu"
    ledger.record(LedgerKind.WEIGHTS, "engine", "model", 300 * MIB, on_device=on_device)
    ledger.record(LedgerKind.VOICE_CACHE, "anna", "voice", 8 * MIB, on_device=on_device)
    ledger.record(LedgerKind.RESULTS, "anna", "1", 3 * MIB)
    ledger.record(LedgerKind.RESULTS, "bert", "1", 5 * MIB)
    sets = ResidentSet(bytes=200 * MIB, separate=True, engines=engines)
    made = Promises(Allocator(on_device), ledger, device, sets)
    made.note_floor()
    return made


@pytest.mark.parametrize(("owners", "results_mib"), [(None, 8), (["anna"], 3), ([], 0)])
def test_on_the_cpu_the_end_of_the_processes_gives_back_all_of_them_and_our_results(
    owners, results_mib
):
    promised = promises("cpu").promise(UNLOAD, owners)
    assert promised == Promise((400 + 60 + results_mib) * MIB, exact=True)


def test_on_a_gpu_the_end_gives_back_what_the_driver_counts_for_the_processes():
    made = promises("cuda:0")
    made.device_use_bytes = 1234 * MIB
    assert made.promise(UNLOAD) == Promise(1234 * MIB, exact=True)


def test_where_the_driver_does_not_count_it_is_what_the_allocators_hold():
    assert promises("cuda:0").promise(UNLOAD) == Promise(900 * MIB, exact=False)


def test_a_trim_ends_no_process_and_is_estimated_on_the_cpu():
    promised = promises("cpu").promise(TRIM, ["anna"])
    assert promised == Promise((8 + 3) * MIB, exact=False)


def test_a_trim_on_a_gpu_is_what_the_allocators_can_return():
    assert promises("cuda:0").promise(TRIM) == Promise((150 + 8) * MIB, exact=True)


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_without_a_process_nothing_is_promised_as_the_end_of_one(device):
    promised = promises(device, ()).promise(UNLOAD)
    assert promised.exact is (device != "cpu")
    assert promised.bytes > 0


@pytest.mark.parametrize(("grown_mib", "promised_mib"), [(0, 0), (40, 40)])
def test_what_a_job_grew_an_engines_process_by_is_promised_to_a_trim(grown_mib, promised_mib):
    made = promises("cpu")
    made._resident_sets.bytes += grown_mib * MIB
    made.note_growth(grown_mib * MIB)
    assert made.promise(TRIM, []) == Promise(promised_mib * MIB, exact=False)
