"""One batch run, active or not: start, pause, cancel, retry, correct, and its state.

Belongs to the studio, not to a page: any session may watch and control it. Thread-safe.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from glmtts_core.batch.coordinator import Coordinator
from glmtts_core.batch.executor import ExecutorFactory
from glmtts_core.batch.intake import replace_input
from glmtts_core.batch.pace import PaceReading
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.run_database import RunDatabase, RunHeader
from glmtts_core.batch.run_files import is_locked, run_lock
from glmtts_core.batch.run_writer import RunWriter
from glmtts_core.batch.speaking import LineRequests, speaking_order
from glmtts_core.batch.states import LineState, RunState, RunSummary, RunView
from glmtts_core.batch.store import RunStore
from glmtts_core.batch.upkeep import look_at_sounds, sweep, write_end
from glmtts_core.batch_files.lines import BatchInput, RunDefaults
from glmtts_core.errors import BatchError, GLMTTSError
from glmtts_core.message import Message

_NEVER = -1  # before the sounds were looked at for the first time


@dataclass(frozen=True, slots=True)
class _Active:
    """What is open while this process carries on the run, and what it is spoken by."""

    held: ExitStack
    writer: RunWriter
    coordinator: Coordinator


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
        self.store = store
        self._make_executor = make_executor
        self._max_reference_s = max_reference_s
        # held while the run is begun, ended or changed, which takes seconds: no view waits for it
        self._control = threading.RLock()
        self._lock = threading.RLock()
        self._changing = False
        self._active: _Active | None = None
        self._last_pace = PaceReading(0.0)
        self._sounds_seen_ns: int | None = _NEVER
        self._standing, self._header = store.database.standing(), store.database.header()
        # the disk did not take the run's end: only memory knows it
        self._unwritten: tuple[RunState, Message] | None = None

    @property
    def id(self) -> str:
        """Name of the run's folder."""
        return self.store.id

    @property
    def header(self) -> RunHeader:
        """What it is, apart from its lines."""
        return self._header

    @property
    def lines(self) -> RunDatabase:
        """Its lines, and all else that is known of it.

        Raises:
            BatchError, StorageError: they cannot be read (any more).
        """
        return self.store.database

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
        with self._control:
            if self._active is None:
                self._begin()
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
        with self._control:
            if self._active is None:
                with self._change() as (_, writer):
                    writer.cancel()
                return
        self._stop(RunState.CANCELLED)

    def retry_failed(self) -> None:
        """Speak the failed lines again, and start.

        Raises:
            BatchError, StorageError, SynthesisCancelled: as `start`.
        """
        with self._control:
            if self._active is None:
                self._begin(retry_failed=True)
                return
            if self._active.coordinator.retry_failed():
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
        with self._control:
            if self._active is not None:
                raise BatchError("batch.run.locked", name=self.id)
            with self._change() as (_, writer):
                sweep(self.store, writer)
                replace_input(self.store, writer, raw, batch, references, defaults, policy)
                sweep(self.store, writer)
                self._header = self.lines.header()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is not active; False when ``timeout_s`` ran out first."""
        active = self._active
        return active is None or active.coordinator.wait(timeout_s)

    # -- state -----------------------------------------------------------------------------------

    def view(self, *, fresh: bool = False) -> RunView:
        """Return the run's state; cheap whatever the number of lines.

        Args:
            fresh: look at every sound first, unless the run is active.

        Raises:
            StorageError: the run cannot be read.
        """
        with self._lock:
            summary = self.summary(fresh=fresh)
            active, standing = self._active, self._standing
            reason = standing.reason if self._unwritten is None else self._unwritten[1]
            pace = self._last_pace if active is None else active.coordinator.pace.read()
            # what has not been ended is this very stretch, or one whose process has died
            begun_s = standing.unfinished_s if active is None else pace.active_s
            goes_on = summary.state is RunState.RUNNING
            coordinator = None if active is None else active.coordinator
            return RunView(
                **{name: getattr(summary, name) for name in RunSummary.__dataclass_fields__},
                standing=standing,
                stopping=coordinator is not None and coordinator.stopping,
                reason=reason if active is None else None,
                current=self.lines.rows({LineState.RUNNING}) if goes_on else (),
                progress=None if coordinator is None else coordinator.progress(),
                active_s=standing.active_s + begun_s,
                eta_s=pace.eta_s,
                lines_per_min=pace.lines_per_min,
                audio_per_s=pace.audio_per_s,
                cleanup_reason=None if coordinator is None else coordinator.cleanup_reason,
            )

    def summary(self, *, fresh: bool = False) -> RunSummary:
        """Return the run's line in the list of runs; as `view`."""
        with self._lock:
            self._read(fresh=fresh)
            elsewhere = self._active is None and not self._changing and is_locked(self.store.folder)
            state = self._standing.state
            if self._active is not None or elsewhere:
                state = RunState.RUNNING
            elif self._unwritten is not None:
                state = self._unwritten[0]
            elif state is RunState.RUNNING:
                state = RunState.INTERRUPTED
            header, counts = self._header, self._standing.counts
            return RunSummary(self.id, header.name, header.created_at, state, counts, elsewhere)

    # -- inside ----------------------------------------------------------------------------------

    def _read(self, *, fresh: bool) -> None:
        """Read how the run stands; where that is impossible at its end, the last holds."""
        try:
            if self._active is None:
                seen_ns = _NEVER if fresh else self._sounds_seen_ns
                self._sounds_seen_ns = look_at_sounds(self.store, seen_ns)
            self._standing, self._header = self.lines.standing(), self.lines.header()
        except GLMTTSError:
            if self._active is None and self._unwritten is None:
                raise
            return
        if self._standing.state is not RunState.RUNNING:
            self._unwritten = None

    @contextmanager
    def _change(self) -> Iterator[tuple[ExitStack, RunWriter]]:
        """Hold the folder while something in it is changed; the caller may keep what is held."""
        self._changing = True
        try:
            with ExitStack() as held:
                held.enter_context(run_lock(self.store.folder))
                yield held, held.enter_context(closing(RunWriter(self.store)))
            self._unwritten = None
        finally:
            self._changing = False

    def _begin(self, *, retry_failed: bool = False) -> None:
        with self._change() as (held, writer):
            sweep(self.store, writer)
            writer.begin(retry_failed=retry_failed)
            header = self.lines.header()
            requests = LineRequests(header.defaults, self.store.references, self._max_reference_s)
            coordinator = Coordinator(
                writer,
                self.lines,
                self._make_executor,
                header.policy,
                requests.of,
                speaking_order(self.lines.rows({LineState.QUEUED}), header.defaults),
                self._ended,
            )
            self._active = _Active(held.pop_all(), writer, coordinator)

    def _ended(self, state: RunState, reason: Message | None) -> None:
        """Write the end down; called in the background, when no line is spoken any more."""
        with self._control:
            active = self._active
            if active is None:
                raise AssertionError("an active run ends once")
            pace = active.coordinator.pace.read()
            unwritten, seen_ns = None, None
            try:
                with active.held:
                    unwritten = write_end(self.store, active.writer, state, reason, pace.active_s)
                    seen_ns = self.store.sounds_changed_ns()
            finally:
                with self._lock:
                    self._active, self._last_pace = None, pace
                    self._unwritten, self._sounds_seen_ns = unwritten, seen_ns

    def _stop(self, state: RunState) -> None:
        if (active := self._active) is not None:
            active.coordinator.stop(state)
