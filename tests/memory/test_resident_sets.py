"""Physical memory of this process and of the engines' own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from glmtts_core.memory import resident_sets
from glmtts_core.memory.resident_sets import HostUse, ProcessUse, ResidentSets
from glmtts_core.memory.system import proportional_set_bytes, resident_set_bytes
from tests.memory.conftest import ROOT
from tests.memory.stand_in_devices import MIB

#: What a small Python may grow by while it is looked at.
SLACK = 16 * MIB
#: Beyond the kernel's default highest pid.
NOBODY = 4_000_000


class Child:
    """Another process that holds what it is told to."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.memory.memory_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self.pid = self._process.pid

    def hold(self, mib: int) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{mib}\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def close(self) -> None:
        self._process.communicate(timeout=20)


@pytest.fixture
def child() -> Iterator[Child]:
    started = Child()
    yield started
    started.close()


def test_without_processes_of_engines_there_is_only_ours():
    sets = ResidentSets()
    use = sets.read()
    assert not sets.separate
    assert use.engines == ()
    assert abs(use.total_bytes - resident_set_bytes()) < SLACK


def test_our_own_process_can_be_left_out():
    assert ResidentSets(dict, own=False).read() == HostUse(0)
    assert ResidentSets(dict, own=False).total_bytes() == 0


def test_totals_count_what_an_engine_shares_by_its_part():
    use = HostUse(10, (ProcessUse(1, "One", 50, 40), ProcessUse(2, "Two", 7, 5)))
    assert (use.engines_bytes, use.total_bytes) == (45, 55)


def test_a_process_that_is_gone_counts_as_nothing():
    sets = ResidentSets(lambda: {NOBODY: "Gone"}, own=False)
    assert sets.read().engines == (ProcessUse(NOBODY, "Gone", 0, 0),)
    sets.reset_peak()
    assert sets.peak_bytes() == 0


@pytest.mark.process
def test_another_process_counts_as_it_grows_and_shrinks(child):
    sets = ResidentSets(lambda: {child.pid: "Engine"})
    before = sets.read()
    child.hold(64)
    grown = sets.read()
    assert grown.engines[0].name == "Engine"
    assert abs(grown.engines_bytes - before.engines_bytes - 64 * MIB) < SLACK
    assert grown.own_bytes > 0
    child.hold(0)
    assert abs(sets.read().engines_bytes - before.engines_bytes) < SLACK


@pytest.mark.process
def test_a_refreshed_figure_is_the_kernels_share_of_the_process(child):
    child.hold(32)
    sets = ResidentSets(lambda: {child.pid: "Engine"}, own=False)
    sets.refresh()
    (use,) = sets.read().engines
    now = proportional_set_bytes(child.pid)
    assert now is not None
    assert abs(use.proportional_set_bytes - now) < SLACK
    assert use.resident_set_bytes > use.proportional_set_bytes > 32 * MIB


def test_what_is_shared_is_asked_for_seldom_and_when_refreshed(monkeypatch):
    asked: list[int | None] = []

    def share(pid: int | None = None) -> int:
        asked.append(pid)
        return resident_set_bytes(pid) // 2

    monkeypatch.setattr(resident_sets, "proportional_set_bytes", share)
    sets = ResidentSets(lambda: {os.getpid(): "Engine"}, own=False)
    for _ in range(5):
        sets.read()
    assert len(asked) == 1
    sets.refresh()
    sets.read()
    assert len(asked) == 2


def test_where_the_kernel_tells_no_share_the_whole_counts(monkeypatch):
    monkeypatch.setattr(resident_sets, "proportional_set_bytes", lambda _: None)
    (use,) = ResidentSets(lambda: {os.getpid(): "Engine"}, own=False).read().engines
    assert use.proportional_set_bytes == use.resident_set_bytes > 0


@pytest.mark.process
def test_the_peak_of_another_process_counts_though_nobody_looked_meanwhile(child):
    sets = ResidentSets(lambda: {child.pid: "Engine"}, own=False)
    sets.reset_peak()
    before = sets.total_bytes()
    child.hold(96)
    child.hold(0)
    peak = sets.peak_bytes()
    if peak is None:
        pytest.skip("the kernel counts no peaks here")
    assert abs(peak - before - 96 * MIB) < SLACK


@pytest.mark.process
def test_a_process_that_has_begun_since_counts_with_its_whole_peak(child):
    processes: dict[int, str] = {}
    sets = ResidentSets(lambda: processes)
    sets.reset_peak()
    if (before := sets.peak_bytes()) is None:
        pytest.skip("the kernel counts no peaks here")
    child.hold(64)
    processes[child.pid] = "Engine"
    peak = sets.peak_bytes()
    assert peak is not None
    assert peak - before > 64 * MIB - SLACK
