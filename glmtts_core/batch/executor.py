"""Who speaks the lines of a run: a small interface, and the studio's own worker behind it.

Another engine, such as a cluster, implements `Executor`; every result reaches the run through its
one sink. Knows nothing about databases and folders.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Protocol

from glmtts_core.engines.base import Progress, SynthesisResult
from glmtts_core.errors import GLMTTSError
from glmtts_core.memory.cleanup import CleanupLevel, CleanupReport
from glmtts_core.memory.cost import MemoryCost
from glmtts_core.sessions.events import AskedBy
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.jobs import Job, Priority
from glmtts_core.studio.studio import Studio

#: Seconds that a cleanup may take to come; between two lines it comes at once, unless an
#: interactive job got in between.
_CLEANUP_WAIT_S: Final = 120.0

#: Takes the result of the line at a position to where it is kept, before the line's future is done;
#: called on any thread, and an error of it is the line's outcome.
ResultSink = Callable[[int, SynthesisResult], None]


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """How an attempt ended.

    Attributes:
        error: why there is no result; None where the sink has it.
        memory: what it cost; None where it did not get that far.
    """

    error: GLMTTSError | None
    memory: MemoryCost | None


class Executor(Protocol):
    """Speaks lines; its methods are called by one thread, `cancel` and `progress` by any."""

    @property
    def capacity(self) -> int:
        """How many lines it works on at a time; no more than these are submitted."""

    def submit(self, position: int, request: SynthesisRequest) -> Future[LineOutcome]:
        """Begin with a line; the future never holds an exception.

        Raises:
            GLMTTSError: the request is refused, or the program is closing.
        """

    def cancel(self) -> None:
        """Stop all lines as soon as possible; their futures end with `SynthesisCancelled`."""

    def progress(self) -> Progress | None:
        """Return how far the oldest line is; None while there is none."""

    def reclaimable_bytes(self) -> int:
        """Return what `clean` promises to give back."""

    def clean(self, *, everything: bool) -> CleanupReport | None:
        """Give memory back, at the next safe point, and wait for it; None if that did not come.

        Args:
            everything: let go of all that is idle, not just of what this run has kept.

        Raises:
            GLMTTSError: it failed, or the program is closing.
        """

    def close(self) -> None:
        """Give back what was kept for the run."""


#: Makes an executor whose results go to the given sink.
ExecutorFactory = Callable[[ResultSink], Executor]


class LocalExecutor:
    """The studio's worker: one line at a time, and every interactive job goes ahead of the next.

    Voice prompts are kept from line to line, like those of a browser session, until `close`.
    """

    capacity: Final = 1

    def __init__(self, studio: Studio, sink: ResultSink) -> None:
        self._studio = studio
        self._sink = sink
        self._owner = secrets.token_hex(16)
        self._job: Job | None = None
        # a lease keeps the caches from going with every single job
        studio.sessions.lease(self._owner)

    def submit(self, position: int, request: SynthesisRequest) -> Future[LineOutcome]:
        """Queue a line behind all interactive jobs; see `Executor.submit`."""
        future: Future[LineOutcome] = Future()
        job = self._studio.submit(
            self._owner,
            request,
            Priority.BATCH,
            keep=lambda result: self._sink(position, result),
        )
        self._job = job
        job.when_finished(lambda: future.set_result(_outcome(job)))
        return future

    def cancel(self) -> None:
        """Cancel the line; see `Executor.cancel`."""
        if self._job is not None:
            self._job.cancel()

    def progress(self) -> Progress | None:
        """Return how far the line is; see `Executor.progress`."""
        job = self._job
        return None if job is None or job.finished else job.view().progress

    def reclaimable_bytes(self) -> int:
        """Return what a trim promises; see `Executor.reclaimable_bytes`."""
        return self._studio.promise(self._owner).bytes

    def clean(self, *, everything: bool) -> CleanupReport | None:
        """Trim; see `Executor.clean`."""
        owner = None if everything else self._owner
        return self._studio.cleanup(CleanupLevel.TRIM, owner, asked_by=AskedBy.BATCH).wait(
            _CLEANUP_WAIT_S
        )

    def close(self) -> None:
        """Drop the voice prompts; see `Executor.close`."""
        self._studio.end_lease(self._owner)


def _outcome(job: Job) -> LineOutcome:
    view = job.view()
    return LineOutcome(view.error, view.memory)
