"""Speaks the waiting lines of a run in the background, until they are done or it is stopped.

Knows nothing about pages; writes to the disk only through the writer.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent import futures
from contextlib import closing
from typing import Final

from glmtts_core.batch.executor import ExecutorFactory, LineOutcome
from glmtts_core.batch.out_of_memory import FROM_CLEAN_STATE, out_of_memory_reason
from glmtts_core.batch.pace import Pace
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.run_database import RunDatabase
from glmtts_core.batch.run_writer import RunWriter
from glmtts_core.batch.states import LineRow, RunState
from glmtts_core.batch_files.lines import BatchLine
from glmtts_core.engines.base import Progress
from glmtts_core.errors import (
    EngineError,
    GLMTTSError,
    NoSuchEngineError,
    OutOfMemoryError,
    StorageError,
    SynthesisCancelled,
)
from glmtts_core.memory.cost import MemoryCost
from glmtts_core.message import Message
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.background import BackgroundTask

#: States that do not wait for the line that is being spoken.
_AT_ONCE: Final = (RunState.CANCELLED, RunState.INTERRUPTED)
_log = logging.getLogger(__name__)


class Coordinator:
    """Speaks the waiting lines, and cleans up between them; starts at once. Thread-safe.

    Args:
        writer: through which every change goes.
        lines: the run's database.
        make_executor: makes who speaks the lines.
        policy: when to clean up.
        request_of: makes the request for a line.
        waiting: the lines to speak, in this order.
        on_end: called at the end, in the background, with the run's state and why it paused by
            itself, if it did.

    Attributes:
        pace: the run's speed.
        cleanup_reason: why the last cleanup failed, if it did.

    Raises:
        SynthesisCancelled: the program is closing.
    """

    def __init__(
        self,
        writer: RunWriter,
        lines: RunDatabase,
        make_executor: ExecutorFactory,
        policy: CleanupPolicy,
        request_of: Callable[[BatchLine], SynthesisRequest],
        waiting: Sequence[LineRow],
        on_end: Callable[[RunState, Message | None], None],
    ) -> None:
        self._writer = writer
        self._lines = lines
        self._policy = policy
        self._request_of = request_of
        self._waiting = deque(row.position for row in waiting)
        self._on_end = on_end
        self._lock = threading.Lock()
        self._wanted_state: RunState | None = None
        self._ending = False
        self._in_flight: dict[futures.Future[LineOutcome], int] = {}
        self._speaking: dict[int, LineRow] = {}
        self._retried: set[int] = set()
        self._lines_since_cleanup = 0
        self.cleanup_reason: Message | None = None
        self.pace = Pace(sum(len(row.line.text) for row in waiting))
        self._executor = make_executor(
            lambda position, result: writer.done(self._speaking[position], result)
        )
        self._task: BackgroundTask[None] = BackgroundTask("batch-run", "batch.run.unexpected")
        self._task.start(lambda *_: self._speak_all(), self._end)

    # -- for other threads -----------------------------------------------------------------------

    def stop(self, state: RunState) -> None:
        """End in ``state``; a pause lets the running lines end first."""
        with self._lock:
            # cancelling and interrupting replace a pause; otherwise the first request holds
            if self._wanted_state is None or self._wanted_state is RunState.PAUSED:
                self._wanted_state = state
        if state in _AT_ONCE:
            self._executor.cancel()

    def carry_on(self) -> bool:
        """Withdraw a pause; False where it is too late."""
        with self._lock:
            if self._ending or self._wanted_state in _AT_ONCE:
                return False
            self._wanted_state = None
            return True

    def retry_failed(self) -> bool:
        """Have the failed lines spoken again; False where it is too late.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        again = self._writer.retry_failed()
        with self._lock:
            if self._ending:
                return False
            self._waiting.extend(again)
            self._retried.difference_update(again)
        self.pace.more(sum(again.values()))
        return True

    @property
    def stopping(self) -> bool:
        """Whether it will stop before the last line."""
        with self._lock:
            return self._wanted_state is not None

    def progress(self) -> Progress | None:
        """Return the progress of the running line."""
        return self._executor.progress()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False when ``timeout_s`` ran out first."""
        return self._task.wait(timeout_s)

    # -- in the background -----------------------------------------------------------------------

    def _speak_all(self) -> None:
        while True:
            while len(self._in_flight) < self._executor.capacity:
                position = self._take()
                if position is None:
                    break
                self._submit(position)
            if not self._in_flight:
                if self._take_nothing_more():
                    return
                continue
            done, _ = futures.wait(self._in_flight, return_when=futures.FIRST_COMPLETED)
            for future in done:
                self._finish(self._in_flight.pop(future), future.result())

    def _end(self, error: GLMTTSError | None) -> None:
        reason = None if error is None else error.message.plain()
        with self._lock:
            self._ending = True
        try:
            with closing(self._executor):
                self._leave_nothing_running()
        finally:
            self.pace.stop()
            state, reason = self._end_state(reason)
            self._on_end(state, reason)

    def _end_state(self, reason: Message | None) -> tuple[RunState, Message | None]:
        if reason is not None:
            return RunState.PAUSED, reason
        # a stop requested during the last line has nothing left to stop
        try:
            waits = self._lines.counts(RunState.RUNNING).queued
        except GLMTTSError as error:
            return RunState.PAUSED, error.message.plain()
        wanted = self._wanted_state or RunState.FINISHED
        return (wanted if waits else RunState.FINISHED), None

    def _take(self) -> int | None:
        with self._lock:
            stops = self._wanted_state is not None or not self._waiting
            return None if stops else self._waiting.popleft()

    def _take_nothing_more(self) -> bool:
        with self._lock:
            self._ending = self._wanted_state is not None or not self._waiting
            return self._ending

    def _submit(self, position: int) -> None:
        row = self._lines.row(position)
        self._writer.running(position)
        self._speaking[position] = row
        error = self._try_to_submit(row)
        # the failed attempt's frames are gone: a cleanup can free what they held
        if isinstance(error, (SynthesisCancelled, NoSuchEngineError)):
            self._finish(position, LineOutcome(error, None))
        elif error is not None:
            self._ended_with(position, error, None)
        elif self._wanted_state in _AT_ONCE:
            # the stop was requested before there was a line to cancel
            self._executor.cancel()

    def _try_to_submit(self, row: LineRow) -> GLMTTSError | None:
        try:
            future = self._executor.submit(row.position, self._request_of(row.line))
        except MemoryError:
            return OutOfMemoryError("engine.out_of_memory")
        except GLMTTSError as error:
            return error.with_traceback(None)
        except Exception as error:  # noqa: BLE001
            # such as a decoder's own fault: it must not stop the other lines
            _log.exception("the request of the line at %d could not be made", row.position)
            return EngineError("engine.unexpected", reason=f"{type(error).__name__}: {error}")
        self._in_flight[future] = row.position
        return None

    def _finish(self, position: int, outcome: LineOutcome) -> None:
        error = outcome.error
        if isinstance(error, SynthesisCancelled):
            self._queue_again(position)
            # if no stop was requested, the worker itself is closing
            self.stop(RunState.INTERRUPTED)
        elif error is not None and self._concerns_all_lines(position, outcome):
            self._queue_again(position)
            raise error
        else:
            self._ended_with(position, error, outcome.memory)

    def _concerns_all_lines(self, position: int, outcome: LineOutcome) -> bool:
        """Whether the next line would fail likewise: a full disk, a missing engine."""
        not_loaded = isinstance(outcome.error, EngineError) and outcome.memory is None
        if isinstance(outcome.error, FROM_CLEAN_STATE) and position not in self._retried:
            return False
        return not_loaded or isinstance(outcome.error, (StorageError, NoSuchEngineError))

    def _ended_with(
        self, position: int, error: GLMTTSError | None, memory: MemoryCost | None
    ) -> None:
        if isinstance(error, FROM_CLEAN_STATE) and position not in self._retried:
            self._retry_from_clean_state(position, memory)
            return
        if isinstance(error, OutOfMemoryError):
            self._writer.failed(position, out_of_memory_reason(error, memory), memory)
        elif error is not None:
            self._writer.failed(position, error.message.plain(), memory)
        self._speaking.pop(position)
        ended = self._lines.row(position)
        self.pace.ended(len(ended.line.text), ended.status.audio_s or 0.0)
        self._lines_since_cleanup += 1
        self._clean_where_wanted(failed=error is not None)

    def _retry_from_clean_state(self, position: int, memory: MemoryCost | None) -> None:
        self._writer.retrying(position, memory)
        self._speaking.pop(position)
        self._retried.add(position)
        self._clean(everything=True)
        with self._lock:
            self._waiting.appendleft(position)

    def _clean_where_wanted(self, *, failed: bool) -> None:
        measured = self._policy.threshold_bytes is not None
        if self._policy.wants_cleanup(
            lines_since=self._lines_since_cleanup,
            failed=failed,
            reclaimable_bytes=self._executor.reclaimable_bytes() if measured else 0,
        ):
            self._clean(everything=False)

    def _clean(self, *, everything: bool) -> None:
        self._lines_since_cleanup = 0
        try:
            report = self._executor.clean(everything=everything)
        except SynthesisCancelled:
            self.stop(RunState.INTERRUPTED)
            return
        except GLMTTSError as error:
            # the run continues; the page shows the reason
            _log.warning("cleaning up between two lines failed: %s", error)
            self.cleanup_reason = error.message.plain()
            return
        self.cleanup_reason = None
        if report is not None:
            self._writer.cleanup(report.regained_bytes, report.seconds)

    def _leave_nothing_running(self) -> None:
        """After an error, stop the running lines; those that end meanwhile count."""
        if self._in_flight:
            self._executor.cancel()
            futures.wait(self._in_flight)
            self._in_flight.clear()
        for position in list(self._speaking):
            self._queue_again(position)

    def _queue_again(self, position: int) -> None:
        self._speaking.pop(position)
        self._writer.queued(position)
