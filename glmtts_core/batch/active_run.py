"""What is open while a run is active: its lock, its journal, its executor and its coordinator."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from glmtts_core.batch.coordinator import Coordinator
from glmtts_core.batch.executor import Executor, ResultSink
from glmtts_core.batch.loaded import LoadedRun
from glmtts_core.batch.lock import RunLock
from glmtts_core.batch.pace import PaceReading
from glmtts_core.batch.recorder import Recorder
from glmtts_core.batch.requests import LineRequests
from glmtts_core.batch.schedule import speaking_order
from glmtts_core.batch.states import LineState, RunState
from glmtts_core.batch.store import RunStore
from glmtts_core.errors import StorageError
from glmtts_core.message import Message

_log = logging.getLogger(__name__)

#: Makes an executor whose results go to the given sink.
ExecutorFactory = Callable[[ResultSink], Executor]


@dataclass(frozen=True, slots=True)
class ActiveRunEnd:
    """How an active run ended.

    Attributes:
        state: of the run.
        reason: why it paused by itself, if it did.
        lost: positions of the lines that wait again since their sounds have vanished.
        written: whether the journal has the end.
        pace: of the run since its start.
        cleanups: number of cleanups since its start.
        regained_bytes: memory that they gave back.
    """

    state: RunState
    reason: Message | None
    lost: tuple[int, ...]
    written: bool
    pace: PaceReading
    cleanups: int
    regained_bytes: int


class ActiveRun:
    """A run from its start until its pause or end.

    Args:
        store: the run's folder.
        lock: of the folder; released by `close`, but not if this raises.
        loaded: the run as just read.
        make_executor: makes the executor.
        max_reference_s: longest recording that is accepted, in seconds.
        on_end: called in the background when no line is spoken any more; must call `close`.
        retry_failed: speak the failed lines again.

    Raises:
        StorageError: the disk is full or cannot be written.
        SynthesisCancelled: the program is closing.
    """

    def __init__(
        self,
        store: RunStore,
        lock: RunLock,
        loaded: LoadedRun,
        make_executor: ExecutorFactory,
        max_reference_s: float,
        on_end: Callable[[RunState, Message | None], None],
        *,
        retry_failed: bool,
    ) -> None:
        self._store = store
        self._lock = lock
        self._table = table = loaded.table
        self.recorder = Recorder(store, table)
        executor = self._executor(make_executor, retry_failed)
        table.skip_waiting(False)
        defaults, policy = store.header.defaults, store.header.policy
        requests = LineRequests(defaults, store.references, max_reference_s)
        self.coordinator = Coordinator(
            table,
            self.recorder,
            executor,
            policy,
            lambda position: requests.of(table.lines[position]),
            speaking_order(table.positions({LineState.QUEUED}), table, defaults),
            on_end,
        )

    def _executor(self, make: ExecutorFactory, retry_failed: bool) -> Executor:
        """Write the start to the journal, and return the executor."""
        try:
            self.recorder.run(RunState.RUNNING)
            if retry_failed:
                self.recorder.retry_failed()
            return make(self.recorder.done)
        except BaseException:
            self.recorder.close()
            raise

    def close(self, state: RunState, reason: Message | None) -> ActiveRunEnd:
        """Write the end to the journal and release the folder."""
        lost: tuple[int, ...] = ()
        written = True
        try:
            lost = self._vanished()
            if lost and state is RunState.FINISHED:
                state = RunState.PAUSED
            if lost and reason is None:
                folder = f"{self._store.audio_folder}"
                reason = Message("batch.run.sounds_gone", {"count": len(lost), "folder": folder})
            self._table.skip_waiting(state is RunState.CANCELLED)
            self.recorder.run(state, reason)
        except StorageError as error:
            # the journal will say that the run was interrupted, and nothing is lost by that
            _log.warning("%s: %s", self._store.id, error)
            if state is RunState.FINISHED:
                state = RunState.INTERRUPTED
            reason, written = reason or error.message.plain(), False
        finally:
            self.recorder.close()
            self._lock.release()
        run = self.coordinator
        pace = run.pace.read()
        return ActiveRunEnd(state, reason, lost, written, pace, run.cleanups, run.regained_bytes)

    def _vanished(self) -> tuple[int, ...]:
        """Queue the done lines whose sounds have vanished; return their positions."""
        lost = tuple(
            position
            for position in self._table.positions({LineState.DONE})
            if not self._store.holds_sound(
                self._table.lines[position], self._table.status(position)
            )
        )
        for position in lost:
            self.recorder.queued(position)
        return lost
