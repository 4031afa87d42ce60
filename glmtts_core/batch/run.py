"""One batch run, active or not: start, pause, cancel, retry, correct, and its state.

Belongs to the studio, not to a page: any session may watch and control it. Thread-safe.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path

from glmtts_core.batch.active_run import ActiveRun, ExecutorFactory
from glmtts_core.batch.line_table import LineTable
from glmtts_core.batch.pace import PaceReading
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.recorder import note_state
from glmtts_core.batch.run_on_disk import RunOnDisk
from glmtts_core.batch.run_view import summary_of, view_of
from glmtts_core.batch.states import (
    LineRow,
    LineState,
    RunState,
    RunSummary,
    RunView,
)
from glmtts_core.batch.store import RunStore
from glmtts_core.batch_files.lines import BatchInput, LineProblem, RunDefaults
from glmtts_core.errors import BatchError
from glmtts_core.message import Message


class BatchRun:
    """A run and its folder.

    Args:
        store: its folder.
        make_executor: makes the executor, at every start.
        max_reference_s: longest reference that is accepted, in seconds.

    Raises:
        StorageError: the folder cannot be read.
    """

    def __init__(
        self, store: RunStore, make_executor: ExecutorFactory, max_reference_s: float
    ) -> None:
        self._make_executor = make_executor
        self._max_reference_s = max_reference_s
        self._lock = threading.RLock()
        self._active: ActiveRun | None = None
        self._last_pace = PaceReading(0.0)
        self._disk = RunOnDisk(store)

    @property
    def store(self) -> RunStore:
        """Its folder."""
        return self._disk.store

    @property
    def id(self) -> str:
        """Name of the run's folder."""
        return self.store.id

    @property
    def problems(self) -> tuple[LineProblem, ...]:
        """The lines that were set aside, in the file's order."""
        return self._disk.loaded.problems

    @property
    def active(self) -> bool:
        """Whether this process is running it."""
        return self._active is not None

    # -- control ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Speak all waiting lines; done lines stay. Withdraws a pause that has not come yet.

        Raises:
            BatchError: another process carries on the run, or it is just being cancelled.
            StorageError: the folder cannot be read or written.
            SynthesisCancelled: the program is closing.
        """
        with self._lock:
            if self._active is None:
                self._active = self._begin()
            elif not self._active.coordinator.carry_on():
                raise BatchError("batch.run.locked", name=self.id)

    def pause(self) -> None:
        """Stop after the running line; `start` resumes."""
        self._stop(RunState.PAUSED)

    def interrupt(self) -> None:
        """Stop now, as the program ends; the running line waits again."""
        self._stop(RunState.INTERRUPTED)

    def cancel(self) -> None:
        """Stop now and for good; the waiting lines are skipped (`start` would speak them still).

        Raises:
            BatchError: another process carries on the run.
            StorageError: the folder cannot be written.
        """
        with self._lock:
            if self._active is None:
                with self._disk.locked():
                    note_state(self.store, RunState.CANCELLED)
                return
        self._stop(RunState.CANCELLED)

    def retry_failed(self) -> None:
        """Speak the failed lines again, and start.

        Raises:
            BatchError, StorageError, SynthesisCancelled: as `start`.
        """
        with self._lock:
            if self._active is None:
                self._active = self._begin(retry_failed=True)
                return
            if self._active.coordinator.retry(self._active.recorder.retry_failed()):
                return
        # it was about to end: a new start speaks what waits by now
        self.wait()
        self.start()

    def amend(
        self,
        raw: bytes,
        batch: BatchInput,
        references: Path | None = None,
        defaults: RunDefaults | None = None,
        policy: CleanupPolicy | None = None,
    ) -> None:
        """Take a corrected file: lines whose content is unchanged and done stay done.

        Killed at any moment, the run is as it was before or as it is afterwards.

        Args:
            raw: the corrected file as it came in.
            batch: its lines as checked.
            references: the folder of the recordings; those that lines name are copied.
            defaults: replace the run's; lines that they change are spoken anew.
            policy: replaces the run's.

        Raises:
            BatchError: the run is active, the file holds no line, or a recording is missing.
            StorageError: the folder cannot be read or written.
        """
        with self._lock:
            if self._active is not None:
                raise BatchError("batch.run.locked", name=self.id)
            with self._disk.locked():
                self.store.replace_input(raw, batch, references, defaults, policy)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is not active; False when ``timeout_s`` ran out first."""
        active = self._active
        return active is None or active.coordinator.wait(timeout_s)

    # -- state -----------------------------------------------------------------------------------

    def view(self, *, fresh: bool = False) -> RunView:
        """Return the run's state; cheap whatever the number of lines.

        Args:
            fresh: read the run again first, sounds included, unless it is active.

        Raises:
            StorageError: another process has changed the run, and it cannot be read.
        """
        with self._lock:
            self._read_where_inactive(always=fresh)
            return view_of(self.store, self._disk.loaded, self._active, self._last_pace)

    def summary(self) -> RunSummary:
        """Return the run's line in the list of runs; raises as `view`."""
        with self._lock:
            self._read_where_inactive()
            return summary_of(self.store, self._disk.loaded, active=self._active is not None)

    def rows(
        self,
        states: Collection[LineState] | None = None,
        offset: int = 0,
        limit: int = 100,
        *,
        failures_first: bool = False,
    ) -> tuple[LineRow, ...]:
        """Return a window of the lines; see `LineTable.rows`."""
        return self._table.rows(states, offset, limit, failures_first=failures_first)

    def row(self, position: int) -> LineRow:
        """Return one line."""
        return self._table.rows(offset=position, limit=1)[0]

    def done_hashes(self) -> dict[str, str]:
        """Return `BatchLine.input_hash` of the done lines by name."""
        table = self._table
        done = table.positions({LineState.DONE})
        return {table.lines[each].uttid: table.lines[each].input_hash for each in done}

    # -- inside ----------------------------------------------------------------------------------

    @property
    def _table(self) -> LineTable:
        return self._disk.loaded.table

    def _begin(self, *, retry_failed: bool = False) -> ActiveRun:
        lock = self.store.lock()
        try:
            self._disk.prepare()
            return ActiveRun(
                self.store,
                lock,
                self._disk.loaded,
                self._make_executor,
                self._max_reference_s,
                self._ended,
                retry_failed=retry_failed,
            )
        except BaseException:
            lock.release()
            raise

    def _ended(self, state: RunState, reason: Message | None) -> None:
        """Close the active run; called in the background, when no line is spoken any more."""
        with self._lock:
            active = self._active
            if active is None:
                raise AssertionError("an active run ends once")
            try:
                end = active.close(state, reason)
                self._last_pace = end.pace
                self._disk.ended(end)
            finally:
                self._active = None

    def _stop(self, state: RunState) -> None:
        active = self._active
        if active is not None:
            active.coordinator.stop(state)

    def _read_where_inactive(self, *, always: bool = False) -> None:
        """Read the run again if another process may have changed it, or ``always``."""
        if self._active is not None:
            return
        if always:
            self._disk.read()
        else:
            self._disk.read_if_changed()
