"""Longer work beside the page: one at a time, with its end, its error and its cancellation."""

from __future__ import annotations

import threading

from glmtts_core.diagnostics.tasks import Tasks
from glmtts_core.errors import DiagnosticsError, SynthesisCancelled
from tests.parts import BOUND_S, wait_until


def test_a_task_tells_how_far_it_is_and_what_came_of_it():
    reached, go_on = threading.Event(), threading.Event()

    def work(cancel, report):
        report(0.5)
        reached.set()
        assert go_on.wait(BOUND_S)
        return "found"

    task = Tasks().start("hunt", work)
    assert reached.wait(BOUND_S)
    assert (task.view().running, task.view().fraction, task.view().result) == (True, 0.5, None)
    go_on.set()
    assert task.wait(BOUND_S)
    assert task.view().result == "found"


def test_while_a_task_runs_the_same_one_is_not_started_again():
    tasks, go_on = Tasks(), threading.Event()
    first = tasks.start("hunt", lambda cancel, report: go_on.wait(BOUND_S))
    assert tasks.start("hunt", lambda cancel, report: None) is first
    go_on.set()
    assert first.wait(BOUND_S)
    assert tasks.start("hunt", lambda cancel, report: None) is not first


def test_an_error_is_kept_for_the_page():
    def broken(cancel, report):
        raise ValueError("no")

    task = Tasks().start("hunt", broken)
    assert task.wait(BOUND_S)
    assert isinstance(task.view().error, DiagnosticsError)
    assert "no" in str(task.view().error)


def test_closing_cancels_what_runs():
    def patient(cancel, report):
        wait_until(lambda: cancel.cancelled)
        cancel.raise_if_cancelled()

    tasks = Tasks()
    task = tasks.start("hunt", patient)
    tasks.close()
    assert task.wait(BOUND_S)
    assert isinstance(task.view().error, SynthesisCancelled)
