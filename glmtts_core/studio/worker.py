"""The one thread of a device: runs jobs in order, and tasks between them or at safe points.

Knows nothing about engines or memory; the studio says what running a job means.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from glmtts_core.errors import GLMTTSError, SynthesisCancelled
from glmtts_core.studio.background import UNEXPECTED, user_error
from glmtts_core.studio.jobs import Job, Priority

T = TypeVar("T")


class WorkerTask(Generic[T]):
    """A short piece of work that must run on the worker thread, such as a cleanup.

    Args:
        work: what to do; its error is raised by `wait`, and nowhere else.
        within_jobs: whether it may run at a safe point inside a job; otherwise it waits for the
            job's end (and still goes ahead of the jobs that wait).
    """

    def __init__(self, work: Callable[[], T], *, within_jobs: bool = False) -> None:
        self._work = work
        self.within_jobs = within_jobs
        self._done = threading.Event()
        self._result: T | None = None
        self._error: GLMTTSError | None = None

    def run(self) -> None:
        """Do the work; keep its result or error for `wait`."""
        try:
            self._result = self._work()
        except BaseException as error:  # noqa: BLE001
            # neither the thread nor the job in whose safe point it runs may end by it
            self._error = user_error(error, UNEXPECTED)
        finally:
            self._done.set()

    def abandon(self) -> None:
        """End without doing the work, as the worker closes; `wait` raises."""
        self._error = SynthesisCancelled("studio.closing")
        self._done.set()

    @property
    def done(self) -> bool:
        """Whether the work has ended, in whatever way."""
        return self._done.is_set()

    def wait(self, timeout_s: float) -> T | None:
        """Return the work's result, or None when it has not run within ``timeout_s``.

        Raises:
            GLMTTSError: the work failed, or the program is closing.
        """
        if not self._done.wait(timeout_s):
            return None
        if self._error is not None:
            raise self._error
        return self._result


class Worker:
    """A thread with two queues of jobs (interactive before batch) and one of tasks."""

    def __init__(self, run_job: Callable[[Job], None], name: str) -> None:
        self._run_job = run_job
        self._wake = threading.Condition()
        self._queues: Final[dict[Priority, deque[Job]]] = {kind: deque() for kind in Priority}
        self._tasks: deque[WorkerTask[Any]] = deque()
        self._running: Job | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Put a job at the end of its queue.

        Raises:
            SynthesisCancelled: the program is closing.
        """
        with self._wake:
            if self._closing:
                raise SynthesisCancelled("studio.closing")
            self._queues[job.priority].append(job)
            self._wake.notify()

    def send(self, task: WorkerTask[T]) -> WorkerTask[T]:
        """Have a task run as soon as it may, and return it."""
        with self._wake:
            if not self._closing:
                self._tasks.append(task)
                self._wake.notify()
                return task
        task.abandon()
        return task

    @property
    def running(self) -> Job | None:
        """The job that is running."""
        with self._wake:
            return self._running

    def waiting(self) -> tuple[Job, ...]:
        """Return the jobs that wait, in the order in which they will run."""
        with self._wake:
            ordered = [job for kind in Priority for job in self._queues[kind]]
        return tuple(job for job in ordered if not job.finished)

    def jobs_of_others(self, session_id: str | None) -> int:
        """Return how many jobs of other sessions run or wait."""
        running = self.running
        jobs = (() if running is None else (running,)) + self.waiting()
        return sum(job.session_id != session_id for job in jobs)

    def place_of(self, job: Job) -> int:
        """Return how many jobs go before ``job``, the running one too; 0 if it does not wait."""
        if job.finished:
            return 0
        with self._wake:
            before = 0 if self._running is None else 1
            for kind in Priority:
                for other in self._queues[kind]:
                    if other is job:
                        return before
                    before += 0 if other.finished else 1
        return 0

    def run_tasks_within_job(self) -> None:
        """Run what may run inside a job; called on the worker thread at a safe point."""
        while True:
            with self._wake:
                task = next((each for each in self._tasks if each.within_jobs), None)
                if task is None:
                    return
                self._tasks.remove(task)
            task.run()

    def close(self, timeout_s: float) -> bool:
        """Cancel everything and wait for the thread; False when it did not end in time."""
        with self._wake:
            self._closing = True
            running = self._running
            waiting = [job for queue in self._queues.values() for job in queue]
            self._wake.notify()
        for job in waiting:
            job.cancel()
        if running is not None:
            running.cancel()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _loop(self) -> None:
        while (work := self._next()) is not None:
            if isinstance(work, WorkerTask):
                work.run()
            else:
                if work.start():
                    self._run_job(work)
                with self._wake:
                    self._running = None
            # this name would keep the last job, and what it holds, alive while the thread is idle
            del work
        for task in self._tasks:
            task.abandon()

    def _next(self) -> Job | WorkerTask[Any] | None:
        with self._wake:
            while True:
                if self._closing:
                    return None
                if self._tasks:
                    return self._tasks.popleft()
                for kind in Priority:
                    while self._queues[kind]:
                        job = self._queues[kind].popleft()
                        if not job.finished:
                            self._running = job
                            return job
                self._wake.wait()
