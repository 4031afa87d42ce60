"""The coordinator with an executor that works on several lines at a time, as a cluster would."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from glmtts_core.batch.executor import LineOutcome, ResultSink
from glmtts_core.batch.registry import Batches
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import RunState
from glmtts_core.engines.base import Progress
from glmtts_core.errors import (
    EngineError,
    GLMTTSError,
    OutOfMemoryError,
    StorageError,
    SynthesisCancelled,
)
from glmtts_core.memory.cleanup import CleanupReport
from glmtts_core.speech import SynthesisRequest
from tests.batch.runs import DEFAULTS, batch_of, ended, finish, lines, raw_of, states
from tests.full_disk import full_disk
from tests.speaking import result as spoken_result
from tests.waiting import BOUND_S, wait_until

CAPACITY = 3


class Pool:
    """Speaks three lines at a time, each in a thread of its own.

    Attributes:
        gate: clear it to hold every line until it is set again.
        faults: by text: what goes wrong, taken away as it happens.
        most: the most lines that were worked on at once.
    """

    def __init__(self, sink: ResultSink) -> None:
        self.sink = sink
        self.gate = threading.Event()
        self.gate.set()
        self.faults: dict[str, list[GLMTTSError]] = {}
        self.most = self.closed = self.cleaned = 0
        self._working = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._threads = ThreadPoolExecutor(CAPACITY)

    @property
    def capacity(self) -> int:
        return CAPACITY

    def submit(self, position: int, request: SynthesisRequest) -> Future[LineOutcome]:
        return self._threads.submit(self._speak, position, request.text)

    def _speak(self, position: int, text: str) -> LineOutcome:
        with self._lock:
            self._working += 1
            self.most = max(self.most, self._working)
        try:
            while not self.gate.wait(0.002):
                if self._stopped.is_set():
                    return LineOutcome(SynthesisCancelled("engine.cancelled"), None)
            spoken = spoken_result()
            if self.faults.get(text):
                return LineOutcome(self.faults[text].pop(), spoken.memory)
            self.sink(position, spoken)
            return LineOutcome(None, spoken.memory)
        except GLMTTSError as error:
            return LineOutcome(error, None)
        finally:
            with self._lock:
                self._working -= 1

    def cancel(self) -> None:
        self._stopped.set()

    def progress(self) -> Progress | None:
        return None

    def reclaimable_bytes(self) -> int:
        return 0

    def clean(self, *, everything: bool) -> CleanupReport | None:
        self.cleaned += 1
        return None

    def close(self) -> None:
        self.closed += 1
        self._threads.shutdown()


class Cluster:
    """Makes pools and keeps hold of them."""

    def __init__(self) -> None:
        self.pools: list[Pool] = []
        self.held = False
        self.faults: dict[str, list[GLMTTSError]] = {}

    def __call__(self, sink: ResultSink) -> Pool:
        pool = Pool(sink)
        pool.faults = self.faults
        if self.held:
            pool.gate.clear()
        self.pools.append(pool)
        return pool


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    for pool in made.pools:
        pool.gate.set()


@pytest.fixture
def run(studio, cluster) -> BatchRun:
    good = lines(*(f"line {n}" for n in range(8)))
    return Batches(studio, cluster).create("in.jsonl", raw_of(good), batch_of(good), DEFAULTS)


def held(run: BatchRun, cluster: Cluster) -> Pool:
    cluster.held = True
    run.start()
    pool = cluster.pools[-1]
    wait_until(lambda: pool.most == CAPACITY)
    return pool


def test_as_many_lines_are_under_way_as_the_executor_can_take(run, cluster):
    pool = held(run, cluster)
    assert run.view().counts.running == CAPACITY
    pool.gate.set()
    ended(run)
    assert (states(run), pool.most, pool.closed) == ("dddddddd", CAPACITY, 1)
    assert len(run.store.audio_names()) == 8


def test_faults_of_one_line_touch_no_other_that_is_under_way(run, cluster):
    cluster.faults = {
        "line 1": [EngineError("engine.unexpected", reason="x")],
        "line 2": [OutOfMemoryError("engine.out_of_memory")],
        "line 3": [OutOfMemoryError("engine.out_of_memory")] * 2,
    }
    finish(run)
    assert states(run) == "dfdfdddd"
    assert cluster.pools[0].cleaned >= 2


def test_a_pause_lets_all_lines_under_way_end(run, cluster):
    pool = held(run, cluster)
    run.pause()
    pool.gate.set()
    ended(run)
    assert states(run) == "dddqqqqq"


def test_cancelling_stops_all_lines_under_way(run, cluster):
    held(run, cluster)
    run.cancel()
    ended(run)
    assert (states(run), run.view().state) == ("ssssssss", RunState.CANCELLED)


def test_a_full_disk_stops_all_and_what_was_under_way_waits_again(run, cluster):
    pool = held(run, cluster)
    with full_disk():
        pool.gate.set()
        ended(run)
    view = run.view()
    assert (view.state, view.counts.running) == (RunState.PAUSED, 0)
    assert isinstance(view.reason.text("en"), str)
    cluster.held = False
    finish(run)
    assert states(run) == "dddddddd"


def test_a_sink_that_refuses_one_line_pauses_the_run(run, cluster):
    cluster.faults = {"line 1": [StorageError("storage.write", folder="x", reason="full")]}
    run.start()
    assert run.wait(BOUND_S)
    assert run.view().state is RunState.PAUSED
    finish(run)
    assert states(run) == "dddddddd"
