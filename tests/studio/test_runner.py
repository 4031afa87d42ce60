"""Running one job: where its result goes, and what it cost even when it failed."""

from __future__ import annotations

from glmtts_core.engines.base import SynthesisResult
from glmtts_core.errors import EngineError, StorageError
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.studio.jobs import JobState, Priority
from tests.speaking import ANNA, request
from tests.waiting import BOUND_S


def line(studio, keep, session_id=ANNA):
    """Speak a batch line to its end."""
    job = studio.submit(session_id, request(), Priority.BATCH, keep)
    assert job.wait(BOUND_S)
    return job


def test_a_result_with_a_place_of_its_own_goes_there_and_not_into_the_history(studio):
    kept: list[SynthesisResult] = []
    view = line(studio, kept.append).view()
    assert [each.audio.sample_rate_hz for each in kept] == [24_000]
    assert (view.state, view.record) == (JobState.DONE, None)
    assert studio.sessions.entry(ANNA).history.list().records == ()


def test_such_a_result_is_not_held_ready_for_a_page_either(studio):
    studio.sessions.lease(ANNA)
    line(studio, lambda result: None)
    kinds = {entry.kind for entry in studio.ledger.snapshot().entries if entry.owner == ANNA}
    assert LedgerKind.RESULTS not in kinds
    assert not studio.sessions.entry(ANNA).facts


def test_a_result_that_cannot_be_kept_fails_its_job_with_the_reason(studio):
    def refuse(result: SynthesisResult) -> None:
        raise StorageError("storage.write", folder="x", reason="full")

    view = line(studio, refuse).view()
    assert (view.state, view.error.message.key) == (JobState.FAILED, "storage.write")


def test_a_job_says_what_it_cost_whether_it_succeeded_or_not(studio):
    assert line(studio, lambda result: None).view().memory.peak_bytes > 0
    studio.engine.fail_with = lambda: EngineError("engine.out_of_memory")
    assert line(studio, lambda result: None).view().memory.peak_bytes > 0


def test_a_job_whose_engine_does_not_load_has_cost_nothing(studio):
    studio.engine.fail_loading_with = lambda: EngineError("engine.out_of_memory")
    assert line(studio, lambda result: None).view().memory is None


def test_what_a_finished_job_held_is_let_go(studio):
    job = line(studio, lambda result: None)
    assert (job.request, job.keep) == (None, None)
