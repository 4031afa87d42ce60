"""One stretch of a run, from a start to its pause or end: a thread that hands line after line on.

Knows nothing about pages, and of the disk only the recorder.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Final

from glmtts_core.batch.executor import Executor, LineOutcome
from glmtts_core.batch.out_of_memory import out_of_memory_reason
from glmtts_core.batch.pace import Pace
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.recorder import Recorder
from glmtts_core.batch.states import LineState, RunState
from glmtts_core.batch.table import LineTable
from glmtts_core.engines.base import Progress, SynthesisRequest
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

#: States that do not wait for the line that is being spoken.
_AT_ONCE: Final = (RunState.CANCELLED, RunState.INTERRUPTED)
_log = logging.getLogger(__name__)


class Coordinator:
    """Speaks the lines that wait, and cleans up between them.

    Args:
        table: the run's lines.
        recorder: through which every change goes.
        executor: who speaks.
        policy: when to clean up.
        request_of: makes the request for the line at a position.
        positions: the lines to speak, in this order.
        on_end: called in the thread when all is over, with the run's state and the reason of a
            pause that nobody asked for.

    Attributes:
        pace: how fast it goes.
        cleanups: how often it has cleaned up.
        regained_bytes: what they gave back.
        cleanup_reason: why the last cleanup failed, if it did.
    """

    def __init__(
        self,
        table: LineTable,
        recorder: Recorder,
        executor: Executor,
        policy: CleanupPolicy,
        request_of: Callable[[int], SynthesisRequest],
        positions: Iterable[int],
        on_end: Callable[[RunState, Message | None], None],
    ) -> None:
        self._table = table
        self._recorder = recorder
        self._executor = executor
        self._policy = policy
        self._request_of = request_of
        self._waiting = deque(positions)
        self._on_end = on_end
        self._lock = threading.Lock()
        self._wish: RunState | None = None
        self._ending = False
        self._flying: dict[Future[LineOutcome], int] = {}
        self._retried: set[int] = set()
        self._lines_since_cleanup = 0
        self.cleanups = 0
        self.regained_bytes = 0
        self.cleanup_reason: Message | None = None
        self.pace = Pace(sum(map(self._chars, self._waiting)))
        self._thread = threading.Thread(target=self._run, name="batch-run", daemon=True)
        self._thread.start()

    # -- for other threads -----------------------------------------------------------------------

    def stop(self, state: RunState) -> None:
        """End in ``state``: a pause lets the line that is being spoken come to its end first."""
        with self._lock:
            # a pause gives way to what does not wait; of the others the first holds
            if self._wish is None or self._wish is RunState.PAUSED:
                self._wish = state
        if state in _AT_ONCE:
            self._executor.cancel()

    def carry_on(self) -> bool:
        """Take a pause back; False where it is too late."""
        with self._lock:
            if self._ending or self._wish in _AT_ONCE:
                return False
            self._wish = None
            return True

    def retry(self, positions: Iterable[int]) -> bool:
        """Speak these lines too, each as if for the first time; False where it is too late."""
        again = list(positions)
        with self._lock:
            if self._ending:
                return False
            self._waiting.extend(again)
            self._retried.difference_update(again)
        self.pace.more(sum(map(self._chars, again)))
        return True

    @property
    def stopping(self) -> bool:
        """Whether it is about to stop before the last line."""
        with self._lock:
            return self._wish is not None

    def progress(self) -> Progress | None:
        """Return how far the line is that is being spoken."""
        return self._executor.progress()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until all is over; False when ``timeout_s`` ran out first."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        reason: Message | None = None
        try:
            self._speak_all()
        except GLMTTSError as error:
            reason = error.message.plain()
        except Exception as error:  # noqa: BLE001
            # the run must not seem to go on for ever; the log has the whole story
            _log.exception("a batch run stopped")
            fault = f"{type(error).__name__}: {error}"
            reason = Message("batch.run.unexpected", {"reason": fault})
        with self._lock:
            self._ending = True
        try:
            self._leave_nothing_running()
            self._executor.close()
        finally:
            self.pace.stop()
            self._on_end(self._end_state(reason), reason)

    def _end_state(self, reason: Message | None) -> RunState:
        if reason is not None:
            return RunState.PAUSED
        # a wish that came during the last line has nothing left to stop
        waits = self._table.positions({LineState.QUEUED})
        return (self._wish or RunState.FINISHED) if waits else RunState.FINISHED

    def _speak_all(self) -> None:
        while True:
            while len(self._flying) < self._executor.capacity:
                position = self._take()
                if position is None:
                    break
                self._submit(position)
            if not self._flying:
                if self._take_nothing_more():
                    return
                continue
            done, _ = wait(self._flying, return_when=FIRST_COMPLETED)
            for future in done:
                self._land(self._flying.pop(future), future.result())

    def _take(self) -> int | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting and self._wish is None else None

    def _take_nothing_more(self) -> bool:
        with self._lock:
            self._ending = self._wish is not None or not self._waiting
            return self._ending

    def _submit(self, position: int) -> None:
        self._recorder.running(position)
        error = self._try_to_submit(position)
        # here nothing of a failed attempt is held any more
        if isinstance(error, SynthesisCancelled):
            self._land(position, LineOutcome(error, None))
        elif isinstance(error, NoSuchEngineError):
            self._recorder.queued(position)
            raise error
        elif error is not None:
            self._ended_with(position, error, None)
        elif self._wish in _AT_ONCE:
            # the wish came while there was nothing to cancel yet
            self._executor.cancel()

    def _try_to_submit(self, position: int) -> GLMTTSError | None:
        try:
            future = self._executor.submit(position, self._request_of(position))
        except MemoryError:
            return OutOfMemoryError("engine.out_of_memory")
        except GLMTTSError as error:
            return error.with_traceback(None)
        except Exception as error:  # noqa: BLE001
            # such as a decoder's own fault: no line's trouble may stop the others
            _log.exception("the request of the line at %d could not be made", position)
            return EngineError("engine.unexpected", reason=f"{type(error).__name__}: {error}")
        self._flying[future] = position
        return None

    def _land(self, position: int, outcome: LineOutcome) -> None:
        error = outcome.error
        if isinstance(error, SynthesisCancelled):
            self._recorder.queued(position)
            # where nobody here wished it, the worker itself is closing
            self.stop(RunState.INTERRUPTED)
        elif error is not None and self._concerns_all_lines(position, outcome):
            self._recorder.queued(position)
            raise error
        else:
            self._ended_with(position, error, outcome.memory)

    def _concerns_all_lines(self, position: int, outcome: LineOutcome) -> bool:
        """Whether the next line would fare no better: a full disk, an engine that is gone."""
        not_loaded = isinstance(outcome.error, EngineError) and outcome.memory is None
        if isinstance(outcome.error, OutOfMemoryError) and position not in self._retried:
            return False
        return not_loaded or isinstance(outcome.error, (StorageError, NoSuchEngineError))

    def _ended_with(
        self, position: int, error: GLMTTSError | None, memory: MemoryCost | None
    ) -> None:
        if isinstance(error, OutOfMemoryError):
            if position not in self._retried:
                self._retry_from_clean_state(position, memory)
                return
            self._recorder.failed(position, out_of_memory_reason(error, memory), memory)
        elif error is not None:
            self._recorder.failed(position, error.message.plain(), memory)
        self.pace.ended(self._chars(position), self._table.status(position).audio_s or 0.0)
        self._lines_since_cleanup += 1
        self._clean_where_wanted(failed=error is not None)

    def _retry_from_clean_state(self, position: int, memory: MemoryCost | None) -> None:
        self._recorder.retrying(position, memory)
        self._retried.add(position)
        self._clean(everything=True)
        with self._lock:
            self._waiting.appendleft(position)

    def _clean_where_wanted(self, *, failed: bool) -> None:
        wanted = self._policy.wants_cleanup(
            lines_since=self._lines_since_cleanup,
            failed=failed,
            reclaimable_bytes=(
                0 if self._policy.threshold_bytes is None else self._executor.reclaimable_bytes()
            ),
        )
        if wanted:
            self._clean(everything=False)

    def _clean(self, *, everything: bool) -> None:
        self._lines_since_cleanup = 0
        try:
            report = self._executor.clean(everything=everything)
        except SynthesisCancelled:
            self.stop(RunState.INTERRUPTED)
            return
        except GLMTTSError as error:
            # speaking goes on, as it does for a session; the page says so
            _log.warning("cleaning up between two lines failed: %s", error)
            self.cleanup_reason = error.message.plain()
            return
        self.cleanup_reason = None
        if report is not None:
            self.cleanups += 1
            self.regained_bytes += report.regained_bytes
            self._recorder.cleanup(report.regained_bytes, report.seconds)

    def _leave_nothing_running(self) -> None:
        """After a fault, stop what still flies; what has come to its end meanwhile counts."""
        if self._flying:
            self._executor.cancel()
            wait(self._flying)
            self._flying.clear()
        for row in self._table.running():
            self._recorder.queued(row.position)

    def _chars(self, position: int) -> int:
        return len(self._table.lines[position].text)
