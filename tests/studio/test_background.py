"""A background task: its progress, its end, its error, its cancellation, one at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from glmtts_core.errors import BatchError, GLMTTSError, SynthesisCancelled
from glmtts_core.studio.background import BackgroundTask, TaskView
from tests.waiting import BOUND_S


class Held:
    """Work that reports ``fraction`` and then waits for the gate, or for being cancelled."""

    def __init__(self, fraction: float = 0.5) -> None:
        self.fraction = fraction
        self.reached, self.gate = threading.Event(), threading.Event()

    def __call__(self, cancel, report) -> str:
        report(self.fraction)
        self.reached.set()
        while not self.gate.wait(0.002):
            cancel.raise_if_cancelled()
        return "found"


@pytest.fixture
def held() -> Iterator[Held]:
    work = Held()
    yield work
    work.gate.set()


@pytest.fixture
def task() -> BackgroundTask[str]:
    return BackgroundTask("test-task")


def test_before_its_start_a_task_has_nothing_to_show_and_nothing_to_wait_for(task):
    assert task.view() == TaskView(running=False, fraction=0.0, result=None, error=None)
    assert task.wait(0.0)
    assert task.close(0.0)


def test_a_task_shows_its_progress_and_then_its_result(task, held):
    assert task.start(held)
    assert held.reached.wait(BOUND_S)
    assert task.view() == TaskView(running=True, fraction=0.5)
    held.gate.set()
    assert task.wait(BOUND_S)
    assert task.view() == TaskView(fraction=1.0, result="found")


def test_while_it_runs_a_second_start_does_nothing(task, held):
    assert task.start(held)
    assert not task.start(lambda cancel, report: "something else")
    held.gate.set()
    assert task.wait(BOUND_S)
    assert task.view().result == "found"


def test_of_many_who_start_at_once_one_succeeds(task, held):
    threads = 8
    barrier, started = threading.Barrier(threads), []

    def click() -> None:
        barrier.wait(BOUND_S)
        started.append(task.start(held))

    clicks = [threading.Thread(target=click) for _ in range(threads)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join(BOUND_S)
    assert sorted(started) == [False] * (threads - 1) + [True]


def test_after_its_end_it_starts_afresh(task, held):
    task.start(held)
    task.cancel()
    assert task.wait(BOUND_S)
    again = Held(0.25)
    assert task.start(again)
    assert again.reached.wait(BOUND_S)
    assert task.view() == TaskView(running=True, fraction=0.25)
    again.gate.set()
    assert task.wait(BOUND_S)
    assert task.view().result == "found"


def test_a_cancelled_task_ends_with_that_as_its_error(task, held):
    task.start(held)
    assert held.reached.wait(BOUND_S)
    task.cancel()
    assert task.wait(BOUND_S)
    view = task.view()
    assert isinstance(view.error, SynthesisCancelled)
    assert (view.running, view.fraction, view.result) == (False, 0.5, None)


def test_an_error_with_a_sentence_is_kept_without_the_frames_that_it_went_through(task, tmp_path):
    def broken(cancel, report) -> str:
        try:
            (tmp_path / "gone").read_bytes()
        except OSError as error:
            raise BatchError("batch.draft.gone", reason="x") from error

    task.start(broken)
    assert task.wait(BOUND_S)
    error = task.view().error
    assert isinstance(error, BatchError)
    assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)


class Panic(BaseException):
    """As native libraries raise it."""


@pytest.mark.parametrize("kind", [ValueError, Panic])
def test_an_unexpected_error_is_logged_and_becomes_one_sentence(task, caplog, kind):
    def broken(cancel, report) -> str:
        raise kind("no")

    with caplog.at_level(logging.ERROR):
        task.start(broken)
        assert task.wait(BOUND_S)
    error = task.view().error
    assert isinstance(error, GLMTTSError)
    assert f"{kind.__name__}: no" in error.text("en")
    assert "test-task failed" in caplog.text
    assert "in broken" in caplog.text


def test_a_task_may_have_its_own_sentence_for_unexpected_errors():
    task: BackgroundTask[None] = BackgroundTask("test-task", "laboratory.failed")
    task.start(lambda cancel, report: 1 / 0)
    assert task.wait(BOUND_S)
    assert "What was measured until then is kept" in task.view().error.text("en")


def test_waiting_ends_when_its_time_is_up(task, held):
    task.start(held)
    assert not task.wait(0.01)
    assert task.running


def test_closing_cancels_and_waits(task, held):
    task.start(held)
    assert task.close(BOUND_S)
    assert isinstance(task.view().error, SynthesisCancelled)


def test_closing_gives_up_on_work_that_does_not_stop(task, caplog):
    gate = threading.Event()
    task.start(lambda cancel, report: gate.wait(BOUND_S))
    assert not task.close(0.01)
    assert "test-task did not end" in caplog.text
    gate.set()
    assert task.wait(BOUND_S)


def test_what_follows_the_end_gets_the_error_while_the_task_still_counts_as_running(task):
    seen: list[tuple[GLMTTSError | None, bool]] = []

    def note(error: GLMTTSError | None) -> None:
        seen.append((error, task.running))

    task.start(lambda cancel, report: "found", note)
    assert task.wait(BOUND_S)
    task.start(lambda cancel, report: 1 / 0, note)
    assert task.wait(BOUND_S)
    assert seen == [(None, True), (task.view().error, True)]


def test_what_goes_wrong_after_the_end_is_the_tasks_error(task):
    def broken(error: GLMTTSError | None) -> None:
        raise ValueError("no")

    task.start(lambda cancel, report: "found", broken)
    assert task.wait(BOUND_S)
    assert "ValueError: no" in str(task.view().error)
    assert task.view().result is None
