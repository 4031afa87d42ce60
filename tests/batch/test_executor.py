"""The studio's worker as an executor: one line at a time, everything handed to the sink."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glmtts_core.batch.executor import LocalExecutor
from glmtts_core.engines.base import SynthesisResult
from glmtts_core.errors import EngineError, RequestError, StorageError, SynthesisCancelled
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import LedgerKind
from tests.speaking import ANNA, request
from tests.waiting import BOUND_S, wait_until


class Sink:
    """Keeps what comes, or refuses it."""

    def __init__(self) -> None:
        self.came: list[tuple[int, SynthesisResult]] = []
        self.refusal: Exception | None = None

    def __call__(self, position: int, result: SynthesisResult) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.came.append((position, result))


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def executor(studio, sink) -> Iterator[LocalExecutor]:
    opened = LocalExecutor(studio, sink)
    yield opened
    opened.close()


def test_the_sink_has_the_result_before_the_future_is_done(executor, sink):
    future = executor.submit(7, request())
    outcome = future.result(BOUND_S)
    assert [position for position, _ in sink.came] == [7]
    assert outcome.error is None
    assert outcome.memory == sink.came[0][1].memory


def test_a_result_that_the_sink_refuses_is_the_lines_failure(executor, sink):
    sink.refusal = StorageError("storage.write", folder="x", reason="full")
    assert executor.submit(0, request()).result(BOUND_S).error is sink.refusal


def test_a_failure_is_an_outcome_with_its_cost(studio, executor):
    studio.engine.fail_with = lambda: EngineError("engine.unexpected", reason="x")
    outcome = executor.submit(0, request()).result(BOUND_S)
    assert outcome.error.message.key == "engine.unexpected"
    assert outcome.memory.peak_bytes > 0


def test_a_request_that_the_engine_cannot_fulfil_is_refused_at_once(executor):
    with pytest.raises(RequestError):
        executor.submit(0, request("hi", voice="nobody"))


def test_a_line_can_be_cancelled_and_its_progress_is_seen(studio, executor):
    studio.engine.gate.clear()
    future = executor.submit(0, request())
    assert studio.engine.reached.wait(BOUND_S)
    wait_until(lambda: executor.progress().piece == 1)
    executor.cancel()
    assert isinstance(future.result(BOUND_S).error, SynthesisCancelled)
    assert executor.progress() is None


def test_a_line_holds_nobodys_one_place_and_enters_no_history(studio, executor):
    executor.submit(0, request()).result(BOUND_S)
    owner = next(iter(studio.sessions.known_ids()))
    assert studio.sessions.entry(owner).active_job is None
    assert studio.sessions.entry(owner).history.list().records == ()


def test_voice_prompts_are_kept_from_line_to_line_and_dropped_in_the_end(studio, sink):
    executor = LocalExecutor(studio, sink)
    (owner,) = studio.sessions.known_ids()
    studio.sessions.entry(owner).caches.put(LedgerKind.VOICE_CACHE, "prompt", object(), 1_000)
    executor.submit(0, request()).result(BOUND_S)
    assert studio.ledger.snapshot().total_bytes(owner=owner) == 1_000
    executor.close()
    wait_until(lambda: studio.ledger.snapshot().total_bytes(owner=owner) == 0)
    wait_until(lambda: owner not in studio.sessions.known_ids())


def test_cleaning_up_trims_what_the_run_keeps_or_all_that_is_idle(studio, executor):
    studio.sessions.lease(ANNA)
    studio.sessions.entry(ANNA).caches.put(LedgerKind.VOICE_CACHE, "prompt", object(), 1_000)
    executor.submit(0, request()).result(BOUND_S)
    assert executor.clean(everything=False) is not None
    assert studio.ledger.snapshot().total_bytes(owner=ANNA) == 1_000
    assert executor.clean(everything=True) is not None
    assert studio.ledger.snapshot().total_bytes(owner=ANNA) == 0
    assert studio.engine.released == [CleanupLevel.TRIM] * 2
