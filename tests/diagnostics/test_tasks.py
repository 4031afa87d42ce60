"""Tasks by name: one at a time of each, found again, and all cancelled at the end."""

from __future__ import annotations

import threading

from glmtts_core.diagnostics.tasks import Tasks
from glmtts_core.errors import SynthesisCancelled
from tests.waiting import BOUND_S, wait_until


def patient(cancel, report):
    wait_until(lambda: cancel.cancelled)
    cancel.raise_if_cancelled()


def test_a_task_is_found_by_its_name():
    tasks = Tasks()
    assert tasks.find("hunt") is None
    task = tasks.start("hunt", lambda cancel, report: "found")
    assert tasks.find("hunt") is task
    assert task.wait(BOUND_S)
    assert task.view().result == "found"


def test_while_a_task_runs_the_same_one_is_not_started_again():
    tasks, go_on = Tasks(), threading.Event()
    task = tasks.start("hunt", lambda cancel, report: go_on.wait(BOUND_S))
    other = tasks.start("self-check", lambda cancel, report: "other")
    tasks.start("hunt", lambda cancel, report: "again")
    assert other.wait(BOUND_S)
    go_on.set()
    assert task.wait(BOUND_S)
    assert (task.view().result, other.view().result) == (True, "other")
    assert tasks.start("hunt", lambda cancel, report: "again").wait(BOUND_S)
    assert task.view().result == "again"


def test_closing_cancels_what_runs():
    tasks = Tasks()
    running = [tasks.start(name, patient) for name in ("hunt", "self-check")]
    tasks.close()
    for task in running:
        assert not task.running
        assert isinstance(task.view().error, SynthesisCancelled)
