"""One batch run, whether it is going on or not: start, pause, cancel, retry, and how it stands.

Belongs to the studio, not to a page: any session may watch and steer it. Thread-safe.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from glmtts_core.batch.active_run import ActiveRun, ExecutorFactory
from glmtts_core.batch.lines import BatchInput, LineProblem, RunDefaults
from glmtts_core.batch.loaded import load_run
from glmtts_core.batch.pace import PaceReading
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.recorder import note_state
from glmtts_core.batch.states import (
    LineRow,
    LineState,
    RunState,
    RunSummary,
    RunView,
)
from glmtts_core.batch.store import RunStore
from glmtts_core.errors import BatchError
from glmtts_core.message import Message

#: Seconds between two looks whether another process has carried the run on meanwhile.
_LOOK_EVERY_S: Final = 2.0


class BatchRun:
    """A run over its folder.

    Args:
        store: its folder.
        make_executor: makes who speaks, at every start.
        max_reference_s: longest reference that is accepted, in seconds.

    Raises:
        StorageError: the folder cannot be read.
    """

    def __init__(
        self, store: RunStore, make_executor: ExecutorFactory, max_reference_s: float
    ) -> None:
        self.store = store
        self._make_executor = make_executor
        self._max_reference_s = max_reference_s
        self._lock = threading.RLock()
        self._active: ActiveRun | None = None
        self._last_pace = PaceReading(0.0)
        self._untold = False
        self._looked_s = time.monotonic()
        self._loaded = load_run(self.store)

    @property
    def id(self) -> str:
        """Name of the run's folder."""
        return self.store.id

    @property
    def problems(self) -> tuple[LineProblem, ...]:
        """The lines that were set aside, in the file's order."""
        return self._loaded.problems

    @property
    def active(self) -> bool:
        """Whether it is going on in this process."""
        return self._active is not None

    # -- steering --------------------------------------------------------------------------------

    def start(self) -> None:
        """Speak all lines that wait; what is done stays. Takes back a pause that is under way.

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
        """Stop after the line that is being spoken; `start` goes on."""
        self._stop(RunState.PAUSED)

    def interrupt(self) -> None:
        """Stop now, since the program is to end; the line that is being spoken waits again."""
        self._stop(RunState.INTERRUPTED)

    def cancel(self) -> None:
        """Stop now and for good; the lines that wait are skipped (`start` would speak them still).

        Raises:
            BatchError: another process carries on the run.
            StorageError: the folder cannot be written.
        """
        with self._lock:
            if self._active is None:
                with self._locked():
                    note_state(self.store, RunState.CANCELLED)
                return
        self._stop(RunState.CANCELLED)

    def retry_failed(self) -> None:
        """Have the failed lines wait again, and start.

        Raises:
            BatchError, StorageError, SynthesisCancelled: as `start`.
        """
        with self._lock:
            if self._active is None:
                self._active = self._begin(retry_failed=True)
                return
            if self._active.coordinator.retry(self._active.recorder.retry_failed()):
                return
        # it was just about to end; what waits by now is spoken by a new start
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
            defaults: take the place of the run's; lines that they change are spoken anew.
            policy: takes the place of the run's.

        Raises:
            BatchError: the run is going on, the file holds no line, or a recording is missing.
            StorageError: the folder cannot be read or written.
        """
        with self._lock:
            if self._active is not None:
                raise BatchError("batch.run.locked", name=self.id)
            with self._locked():
                self.store.replace_input(raw, batch, references, defaults, policy)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it does not go on any more; False when ``timeout_s`` ran out first."""
        active = self._active
        return active is None or active.coordinator.join(timeout_s)

    # -- looking ---------------------------------------------------------------------------------

    def view(self, *, fresh: bool = False) -> RunView:
        """Return how the run stands; cheap whatever the number of lines.

        Args:
            fresh: read the run anew first, sounds included, unless it goes on in this process.

        Raises:
            StorageError: another process has changed the run, and it cannot be read.
        """
        with self._lock:
            if fresh and self._active is None:
                self._read_anew()
            else:
                self._look_for_others()
            loaded, told, active = self._loaded, self._loaded.told, self._active
            summary = self._summary()
            audio_s, retries = loaded.table.totals()
            going = None if active is None else active.coordinator
            pace = self._last_pace if going is None else going.pace.read()
            return RunView(
                id=summary.id,
                name=summary.name,
                created_at=summary.created_at,
                state=summary.state,
                counts=summary.counts,
                elsewhere=summary.elsewhere,
                stopping=going is not None and going.stopping,
                reason=None if going is not None else told.reason,
                current=loaded.table.running(),
                progress=None if going is None else going.progress(),
                active_s=told.active_s + (0.0 if going is None else pace.active_s),
                eta_s=pace.eta_s,
                lines_per_min=pace.lines_per_min,
                audio_per_s=pace.audio_per_s,
                audio_s=audio_s,
                retries=retries,
                cleanups=told.cleanups + (0 if going is None else going.cleanups),
                regained_bytes=told.regained_bytes + (0 if going is None else going.regained_bytes),
                cleanup_reason=None if going is None else going.cleanup_reason,
                lost=self._lost(),
            )

    def summary(self) -> RunSummary:
        """Return the run's line in the list of runs."""
        with self._lock:
            self._look_for_others()
            return self._summary()

    def rows(
        self,
        states: Collection[LineState] | None = None,
        offset: int = 0,
        limit: int = 100,
        *,
        failures_first: bool = False,
    ) -> tuple[LineRow, ...]:
        """Return a window of the lines; see `LineTable.rows`."""
        return self._loaded.table.rows(states, offset, limit, failures_first=failures_first)

    def row(self, position: int) -> LineRow:
        """Return one line."""
        return self._loaded.table.rows(offset=position, limit=1)[0]

    def done_hashes(self) -> dict[str, str]:
        """Return `BatchLine.input_hash` by name, of the lines that are done."""
        table = self._loaded.table
        done = table.positions({LineState.DONE})
        return {table.lines[each].uttid: table.lines[each].input_hash for each in done}

    # -- inside ----------------------------------------------------------------------------------

    def _begin(self, *, retry_failed: bool = False) -> ActiveRun:
        lock = self.store.lock()
        try:
            self._make_ready()
            return ActiveRun(
                self.store,
                lock,
                self._loaded,
                self._make_executor,
                self._max_reference_s,
                self._ended,
                retry_failed=retry_failed,
            )
        except BaseException:
            lock.release()
            raise

    def _ended(self, state: RunState, reason: Message | None) -> None:
        """Close the stretch; called in its thread, when nothing is spoken any more."""
        with self._lock:
            active = self._active
            if active is None:
                raise AssertionError("a stretch ends once")
            try:
                self._close(active, state, reason)
            finally:
                self._active = None

    def _close(self, active: ActiveRun, state: RunState, reason: Message | None) -> None:
        going, told = active.coordinator, self._loaded.told
        self._last_pace = going.pace.read()
        end = active.close(state, reason)
        self._untold = not end.written
        self._loaded.lost = end.lost
        self._loaded.told = replace(
            told,
            state=end.state,
            reason=end.reason,
            active_s=told.active_s + self._last_pace.active_s,
            cleanups=told.cleanups + going.cleanups,
            regained_bytes=told.regained_bytes + going.regained_bytes,
        )
        self._loaded.stamp = self.store.stamp()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder's lock while inside, and read the run anew afterwards."""
        lock = self.store.lock()
        try:
            self._make_ready()
            yield
            self._make_ready()
        finally:
            lock.release()

    def _make_ready(self) -> None:
        """Read the run, whose lock is held, and remove what dead processes have left in it."""
        self._untold = False
        self._read_anew()
        self.store.sweep()
        self.store.remove_sounds(self._loaded.told.orphans)

    def _stop(self, state: RunState) -> None:
        active = self._active
        if active is not None:
            active.coordinator.stop(state)

    def _summary(self) -> RunSummary:
        elsewhere = self._active is None and self.store.locked
        state = self._loaded.told.state
        if self._active is not None or elsewhere:
            state = RunState.RUNNING
        elif state is RunState.RUNNING:
            state = RunState.INTERRUPTED
        header = self.store.header
        counts = self._loaded.table.counts()
        return RunSummary(self.id, header.name, header.created_at, state, counts, elsewhere)

    def _look_for_others(self) -> None:
        """Read the run again where another process has carried it on."""
        now_s = time.monotonic()
        if self._active is not None or now_s - self._looked_s < _LOOK_EVERY_S:
            return
        self._looked_s = now_s
        if self.store.stamp() != self._loaded.stamp:
            self._untold = False
            self._read_anew()

    def _read_anew(self) -> None:
        if self._untold:
            # the disk refused to take the end, or the folder is gone: only memory knows
            return
        self.store = RunStore(self.store.folder)
        self._loaded = load_run(self.store)

    def _lost(self) -> int:
        table = self._loaded.table
        return sum(table.status(n).state is not LineState.DONE for n in self._loaded.lost)
