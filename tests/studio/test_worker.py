"""The one thread of a device: order of jobs, tasks between and within them, the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from glmtts_core.errors import BusyError, GLMTTSError, SynthesisCancelled
from glmtts_core.studio.jobs import Job, JobState, Priority
from glmtts_core.studio.worker import Worker, WorkerTask
from tests.speaking import ANNA, BERT, request
from tests.waiting import BOUND_S, wait_until


class Device:
    """Runs each job until the gate is open, with a safe point every few milliseconds."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.started: list[Job] = []
        self.worker = Worker(self._run, "device")

    def _run(self, job: Job) -> None:
        self.started.append(job)
        while not self.gate.wait(0.002):
            self.worker.run_tasks_within_job()
            if job.cancel_token.cancelled:
                job.fail(SynthesisCancelled("engine.cancelled"))
                return
        job.succeed(None)

    def submit(self, priority: Priority = Priority.INTERACTIVE) -> Job:
        job = Job(ANNA, request(), priority)
        self.worker.submit(job)
        return job

    def busy_with(self) -> Job:
        """Submit a job and wait until it runs."""
        job = self.submit()
        wait_until(lambda: job in self.started)
        return job


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device()
    yield device
    device.worker.close(BOUND_S)


# -- jobs --------------------------------------------------------------------------------------


def test_jobs_run_in_the_order_in_which_they_came(device):
    jobs = [device.submit() for _ in range(5)]
    device.gate.set()
    assert all(job.wait(BOUND_S) for job in jobs)
    assert device.started == jobs


def test_interactive_jobs_go_ahead_of_batch_lines_that_came_first(device):
    running = device.busy_with()
    lines = [device.submit(Priority.BATCH) for _ in range(2)]
    urgent = [device.submit() for _ in range(2)]
    device.gate.set()
    assert all(job.wait(BOUND_S) for job in lines)
    assert device.started == [running, *urgent, *lines]


def test_waiting_jobs_are_listed_in_the_order_in_which_they_will_run(device):
    running = device.busy_with()
    line, urgent = device.submit(Priority.BATCH), device.submit()
    assert device.worker.waiting() == (urgent, line)
    assert device.worker.running is running


def test_a_job_knows_how_many_go_before_it(device):
    running = device.busy_with()
    line, first, second = device.submit(Priority.BATCH), device.submit(), device.submit()
    places = [device.worker.place_of(job) for job in (running, first, second, line)]
    assert places == [0, 1, 2, 3]


def test_a_cancelled_job_counts_in_nobodys_place(device):
    device.busy_with()
    first, second = device.submit(), device.submit()
    first.cancel()
    assert (device.worker.place_of(first), device.worker.place_of(second)) == (0, 1)
    assert device.worker.waiting() == (second,)


def test_a_job_that_is_not_the_workers_has_no_place(device):
    device.busy_with()
    assert device.worker.place_of(Job(BERT, request())) == 0


def test_a_job_cancelled_while_it_waits_never_runs(device):
    device.busy_with()
    cancelled, last = device.submit(), device.submit()
    cancelled.cancel()
    device.gate.set()
    assert last.wait(BOUND_S)
    assert cancelled not in device.started


def test_nothing_runs_once_all_jobs_are_done(device):
    device.gate.set()
    assert device.submit().wait(BOUND_S)
    wait_until(lambda: device.worker.running is None)
    assert device.worker.waiting() == ()


# -- tasks -----------------------------------------------------------------------------------


def test_an_errand_runs_at_once_on_the_workers_thread_when_nothing_else_does(device):
    task = WorkerTask(lambda: threading.current_thread().name, within_jobs=False)
    device.worker.send(task)
    assert task.wait(BOUND_S) == "device"


def test_an_errand_that_may_run_within_jobs_does_so_at_a_safe_point(device):
    job = device.busy_with()
    task = WorkerTask(lambda: job.finished, within_jobs=True)
    device.worker.send(task)
    assert task.wait(BOUND_S) is False


def test_an_errand_that_may_not_waits_for_the_jobs_end_but_goes_ahead_of_the_next(device):
    running = device.busy_with()
    waiting = device.submit()
    task = WorkerTask(lambda: (running.finished, waiting.finished), within_jobs=False)
    device.worker.send(task)
    assert task.wait(0.0) is None
    device.gate.set()
    assert task.wait(BOUND_S) == (True, False)


def test_an_errand_that_must_wait_does_not_hold_up_one_that_need_not(device):
    device.busy_with()
    held = WorkerTask(lambda: "held", within_jobs=False)
    device.worker.send(held)
    free = WorkerTask(lambda: "free", within_jobs=True)
    device.worker.send(free)
    assert free.wait(BOUND_S) == "free"
    assert held.wait(0.0) is None


def test_an_errands_own_error_reaches_the_one_who_waits(device):
    def refuse() -> None:
        raise BusyError("studio.session_busy")

    task = WorkerTask(refuse, within_jobs=True)
    device.worker.send(task)
    with pytest.raises(BusyError):
        task.wait(BOUND_S)


@pytest.mark.parametrize("during_job", [False, True])
def test_an_errand_that_breaks_says_so_in_one_sentence_and_jobs_go_on(device, during_job):
    def broken() -> None:
        raise RuntimeError("the driver is gone")

    job = device.busy_with() if during_job else None
    task = WorkerTask(broken, within_jobs=True)
    device.worker.send(task)
    with pytest.raises(GLMTTSError, match="the driver is gone"):
        task.wait(BOUND_S)
    device.gate.set()
    job = job or device.submit()
    assert job.wait(BOUND_S)
    assert job.view().state is JobState.DONE


def test_an_error_of_an_errand_is_kept_without_its_frames_and_its_cause(device):
    def refuse() -> None:
        try:
            int("x")
        except ValueError as error:
            raise BusyError("studio.session_busy") from error

    task = WorkerTask(refuse, within_jobs=True)
    device.worker.send(task)
    with pytest.raises(BusyError) as failed:
        task.wait(BOUND_S)
    assert "refuse" not in [entry.name for entry in failed.traceback]
    assert (failed.value.__cause__, failed.value.__context__) == (None, None)


# -- the end -----------------------------------------------------------------------------------


def test_closing_cancels_the_running_and_the_waiting_jobs(device):
    running, waiting = device.busy_with(), device.submit()
    assert device.worker.close(BOUND_S)
    assert [job.view().state for job in (running, waiting)] == [JobState.CANCELLED] * 2


def test_closing_releases_those_who_wait_for_an_errand(device):
    device.busy_with()
    task = WorkerTask(lambda: "done", within_jobs=False)
    device.worker.send(task)
    device.worker.close(BOUND_S)
    with pytest.raises(SynthesisCancelled):
        task.wait(BOUND_S)


def test_a_closed_worker_takes_no_more_jobs(device):
    device.worker.close(BOUND_S)
    with pytest.raises(SynthesisCancelled):
        device.submit()


def test_a_closed_worker_releases_errands_at_once(device):
    device.worker.close(BOUND_S)
    task = WorkerTask(lambda: "done", within_jobs=True)
    device.worker.send(task)
    with pytest.raises(SynthesisCancelled):
        task.wait(0.0)


def test_closing_an_idle_worker_is_possible_twice(device):
    assert device.worker.close(BOUND_S)
    assert device.worker.close(BOUND_S)


def test_closing_gives_up_on_a_job_that_does_not_stop():
    release = threading.Event()

    def deaf(job: Job) -> None:
        release.wait(BOUND_S)
        job.succeed(None)

    worker = Worker(deaf, "deaf")
    worker.submit(Job(ANNA, request()))
    wait_until(lambda: worker.running)
    assert not worker.close(0.01)
    release.set()
    assert worker.close(BOUND_S)
