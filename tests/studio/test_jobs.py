"""The life of a job: who may end it how, and what it holds afterwards."""

from __future__ import annotations

import gc
import weakref

import pytest

from glmtts_core.engines.base import Progress, Stage
from glmtts_core.errors import EngineError, SynthesisCancelled
from glmtts_core.studio.jobs import Job, JobState
from tests.sessions.histories import opened, save
from tests.speaking import ANNA, request


@pytest.fixture
def job() -> Job:
    return Job(ANNA, request())


def test_numbers_rise_from_job_to_job():
    assert Job(ANNA, request()).number < Job(ANNA, request()).number


def test_a_new_job_waits_and_has_taken_no_time(job):
    view = job.view()
    assert (view.state, view.elapsed_s, job.finished) == (JobState.QUEUED, 0.0, False)


def test_a_job_that_only_loads_says_so_from_the_start():
    assert Job(ANNA, None).view().progress.stage is Stage.LOADING


def test_the_last_progress_is_shown(job):
    job.start()
    job.report(Progress(Stage.MEL, 0.25, 1, 4))
    assert job.view().progress == Progress(Stage.MEL, 0.25, 1, 4)


def test_the_clock_runs_from_the_start_and_stands_still_after_the_end(job):
    job.start()
    running_s = job.view().elapsed_s
    job.succeed(None)
    assert job.view().elapsed_s >= running_s
    assert job.view().elapsed_s == job.view().elapsed_s


def test_a_job_that_succeeds_carries_its_record(job, tmp_path):
    job.start()
    record = save(opened(tmp_path))
    job.succeed(record)
    assert (job.view().state, job.view().record) == (JobState.DONE, record)


def test_a_job_that_fails_carries_its_error(job):
    job.start()
    job.fail(EngineError("engine.out_of_memory"))
    assert job.view().state is JobState.FAILED
    assert "memory" in str(job.view().error)


def test_an_error_that_is_kept_holds_no_frames_and_no_other_errors(job):
    class Tensor:
        """Stands for something large in a local variable."""

    def speak() -> weakref.ref[Tensor]:
        tensor = Tensor()
        held = weakref.ref(tensor)
        try:
            break_down(tensor)
        except EngineError as error:
            job.fail(error)
        return held

    def break_down(tensor: Tensor) -> None:
        try:
            int(tensor)
        except TypeError as cause:
            raise EngineError("engine.out_of_memory") from cause

    held = speak()
    gc.collect()
    assert held() is None


def test_a_waiting_job_that_is_cancelled_ends_at_once(job):
    job.cancel()
    assert (job.view().state, job.finished) == (JobState.CANCELLED, True)


def test_a_job_cancelled_while_waiting_does_not_start(job):
    job.cancel()
    assert not job.start()


def test_a_running_job_that_is_cancelled_runs_until_its_engine_stops(job):
    job.start()
    job.cancel()
    assert (job.cancel_token.cancelled, job.finished) == (True, False)
    job.fail(SynthesisCancelled("engine.cancelled"))
    assert job.view().state is JobState.CANCELLED


def test_cancelling_a_finished_job_changes_nothing(job):
    job.start()
    job.succeed(None)
    job.cancel()
    assert job.view().state is JobState.DONE


def test_waiting_returns_at_the_end_or_says_that_the_time_ran_out(job):
    assert not job.wait(0.0)
    job.cancel()
    assert job.wait(0.0)


@pytest.mark.parametrize("state", JobState)
def test_only_the_three_ends_count_as_finished(state):
    ends = {JobState.DONE, JobState.FAILED, JobState.CANCELLED}
    assert state.finished == (state in ends)


# -- being told of the end -----------------------------------------------------------------------


def test_who_asks_is_told_once_the_job_has_ended():
    job, told = Job(ANNA, request()), []
    job.when_finished(lambda: told.append(job.view().state))
    job.start()
    assert told == []
    job.succeed(None)
    assert told == [JobState.DONE]


def test_who_asks_too_late_is_told_at_once():
    job, told = Job(ANNA, request()), []
    job.cancel()
    job.when_finished(lambda: told.append(job.finished))
    assert told == [True]


def test_a_job_cancelled_while_it_waits_tells_too():
    job, told = Job(ANNA, request()), []
    job.when_finished(lambda: told.append(job.view().state))
    job.cancel()
    assert told == [JobState.CANCELLED]
