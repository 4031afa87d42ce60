"""One thing to be done by the worker: its request, its state, its outcome.

A job is written by the worker and read by pages at any time, so every change goes through its lock
and readers get an immutable `JobView`.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from glmtts_core.engines.base import CancelToken, Progress, Stage, SynthesisResult
from glmtts_core.errors import GLMTTSError, SynthesisCancelled
from glmtts_core.memory.cost import MemoryCost
from glmtts_core.sessions.result_record import ResultRecord
from glmtts_core.speech import SynthesisRequest

#: Takes a result to where it is to be kept, on the worker thread; an error of it fails the job.
Keep = Callable[[SynthesisResult], None]

_numbers: Final = itertools.count(1)


class JobState(StrEnum):
    """The life of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class Priority(StrEnum):
    """Interactive jobs go ahead of batch lines; each kind is first in, first out."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as it stood at one moment.

    Attributes:
        number: unique in this process, rising.
        state: where it is in its life.
        progress: the last thing that the engine reported.
        elapsed_s: seconds since it started running (0 while queued), until now or its end.
        error: what went wrong, for `FAILED`.
        record: the result in the session's history, for `DONE`; None for a job that only loads
            the engine, or whose result is kept elsewhere.
        memory: what the synthesis cost, whether it succeeded or not; None before its end.
        retries: how often it was begun anew after memory ran out.
    """

    number: int
    state: JobState
    progress: Progress
    elapsed_s: float
    error: GLMTTSError | None
    record: ResultRecord | None
    memory: MemoryCost | None
    retries: int


class Job:
    """A synthesis (or, without a request, a mere loading of an engine) on its way.

    Args:
        session_id: whose caches it uses.
        request: what to speak; None only loads.
        priority: which queue it waits in.
        engine: name of the engine that does it; None means the preferred one.
        keep: takes the result; None puts it in the session's history.
    """

    def __init__(
        self,
        session_id: str,
        request: SynthesisRequest | None,
        priority: Priority = Priority.INTERACTIVE,
        engine: str | None = None,
        keep: Keep | None = None,
    ) -> None:
        self.number = next(_numbers)
        self.session_id = session_id
        self.request = request
        self.priority = priority
        self.engine = engine
        self.keep = keep
        self.cancel_token = CancelToken()
        self._lock = threading.Lock()
        self._finished = threading.Event()
        self._state = JobState.QUEUED
        self._progress = Progress(Stage.LOADING if request is None else Stage.TEXT, 0.0)
        self._started_s: float | None = None
        self._ended_s: float | None = None
        self._error: GLMTTSError | None = None
        self._record: ResultRecord | None = None
        self._memory: MemoryCost | None = None
        self._retries = 0
        self._callbacks: list[Callable[[], None]] = []

    def view(self) -> JobView:
        """Return the job as it stands."""
        with self._lock:
            end = self._ended_s if self._ended_s is not None else time.monotonic()
            elapsed_s = 0.0 if self._started_s is None else end - self._started_s
            return JobView(
                self.number,
                self._state,
                self._progress,
                elapsed_s,
                self._error,
                self._record,
                self._memory,
                self._retries,
            )

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self._finished.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the job has finished; False when ``timeout_s`` ran out first."""
        return self._finished.wait(timeout_s)

    def when_finished(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once nothing more will happen, from the thread that ended the job.

        At once where it has finished already. It must be short, and raise nothing.
        """
        with self._lock:
            if not self._state.finished:
                self._callbacks.append(callback)
                return
        callback()

    def report(self, progress: Progress) -> None:
        """Remember how far the job is."""
        with self._lock:
            self._progress = progress

    def retry(self) -> None:
        """Note that the job is begun anew."""
        with self._lock:
            self._retries += 1

    def measured(self, memory: MemoryCost) -> None:
        """Remember what the synthesis cost."""
        with self._lock:
            self._memory = memory

    def start(self) -> bool:
        """Go from queued to running; False if it was cancelled meanwhile."""
        with self._lock:
            if self._state is not JobState.QUEUED:
                return False
            self._state = JobState.RUNNING
            self._started_s = time.monotonic()
            return True

    def cancel(self) -> None:
        """Ask for the stop: at once while queued, at the engine's next chance while running."""
        self.cancel_token.cancel()
        self._end_if_queued()

    def succeed(self, record: ResultRecord | None) -> None:
        """End with a result."""
        self._end(JobState.DONE, record=record)

    def fail(self, error: GLMTTSError) -> None:
        """End with an error; a `SynthesisCancelled` ends it as cancelled."""
        # a traceback holds every frame's locals, tensors among them
        error.with_traceback(None)
        error.__cause__ = error.__context__ = None
        cancelled = isinstance(error, SynthesisCancelled)
        self._end(JobState.CANCELLED if cancelled else JobState.FAILED, error=error)

    def _end_if_queued(self) -> None:
        with self._lock:
            if self._state is not JobState.QUEUED:
                return
            self._state = JobState.CANCELLED
            self._error = SynthesisCancelled("engine.cancelled")
            self._ended_s = time.monotonic()
        self._tell_finished()

    def _end(
        self,
        state: JobState,
        *,
        record: ResultRecord | None = None,
        error: GLMTTSError | None = None,
    ) -> None:
        with self._lock:
            self._state, self._record, self._error = state, record, error
            self._ended_s = time.monotonic()
            # it may hold a minute of reference audio, which nobody would count or give back
            self.request = None
            self.keep = None
        self._tell_finished()

    def _tell_finished(self) -> None:
        self._finished.set()
        # nothing is added any more: the state says that it has finished
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()
