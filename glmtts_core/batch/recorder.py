"""The one place through which every change of a run goes: first to the disk, then to the table.

Pages only show changes that are already on disk. Thread-safe.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import asdict, replace

from glmtts_core.audio import encode_wav
from glmtts_core.batch.journal import Journal
from glmtts_core.batch.journal_entries import RETRY_FAILED, entry_of
from glmtts_core.batch.line_table import LineTable
from glmtts_core.batch.loaded import load_run
from glmtts_core.batch.states import LineMemory, LineState, LineStatus, RunState
from glmtts_core.batch.storage_errors import storage_errors
from glmtts_core.batch.store import RunStore
from glmtts_core.engines.base import SynthesisResult
from glmtts_core.errors import StorageError
from glmtts_core.memory.cost import MemoryCost
from glmtts_core.message import Message

_log = logging.getLogger(__name__)


class Recorder:
    """Writes down what happens to the lines and the run, from its start to its end.

    Args:
        store: the run's folder, whose lock the caller holds.
        table: shows the lines.

    Raises:
        StorageError: the journal cannot be opened.
    """

    def __init__(self, store: RunStore, table: LineTable) -> None:
        self._store = store
        self._table = table
        self._lock = threading.Lock()
        with storage_errors(store.folder):
            self._journal = Journal(store.journal_path)

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    # -- lines: all raise StorageError where the disk refuses, and then nothing has changed -------

    def running(self, position: int) -> None:
        """A line is about to be spoken."""
        before = self._table.status(position)
        self._line(position, replace(before, state=LineState.RUNNING, reason=None))

    def done(self, position: int, result: SynthesisResult) -> None:
        """A line was spoken: its sound goes to the disk, then the line is done; the one sink.

        Raises:
            StorageError: the disk is full or cannot be written.
            AudioError: the sound holds NaN or infinity.
        """
        wav = encode_wav(result.audio.samples, result.audio.sample_rate_hz)
        self._store.write_audio(self._table.lines[position], wav)
        status = replace(
            self._table.status(position),
            state=LineState.DONE,
            seconds=round(result.seconds, 4),
            audio_s=round(result.audio.duration_s, 4),
            memory=LineMemory.of(result.memory),
            voices=result.audio.voices,
        )
        self._line(position, status)

    def retrying(self, position: int, memory: MemoryCost | None) -> None:
        """A line ran out of memory and waits to be spoken once more."""
        before = self._table.status(position)
        again = replace(
            before,
            state=LineState.QUEUED,
            retries=before.retries + 1,
            memory=_memory(memory, before),
        )
        self._line(position, again)

    def failed(self, position: int, reason: Message, memory: MemoryCost | None = None) -> None:
        """A line cannot be spoken."""
        before = self._table.status(position)
        status = replace(
            before, state=LineState.FAILED, reason=reason, memory=_memory(memory, before)
        )
        self._line(position, status)

    def queued(self, position: int) -> None:
        """Queue a stopped line again.

        A full disk is only logged: the journal then still says "running", which is queued again
        too.
        """
        status = replace(
            self._table.status(position),
            state=LineState.QUEUED,
            seconds=None,
            audio_s=None,
            reason=None,
            voices=(),
        )
        try:
            self._line(position, status)
        except StorageError as error:
            _log.warning("%s: %s", self._store.id, error)
            self._table.put(position, status)

    def _line(self, position: int, status: LineStatus) -> None:
        with self._lock, storage_errors(self._store.folder):
            line = self._table.lines[position]
            at_s = self._journal.add(**entry_of(line, status))
            ended = status.state in (LineState.DONE, LineState.FAILED)
            self._table.put(position, replace(status, ended_s=at_s if ended else None))

    # -- the run -----------------------------------------------------------------------------------

    def run(self, state: RunState, reason: Message | None = None) -> None:
        """The run changes its state.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        entry: dict[str, object] = {
            "run": state.value,
            "input": self._store.header.input_version,
            "counts": asdict(self._table.counts()),
        }
        if reason is not None:
            entry["reason"] = asdict(reason)
        with self._lock, storage_errors(self._store.folder):
            self._journal.add(**entry)

    def retry_failed(self) -> list[int]:
        """Have the failed lines wait again; return their positions.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        with self._lock, storage_errors(self._store.folder):
            positions = self._table.positions({LineState.FAILED})
            if positions:
                self._journal.add(run=RETRY_FAILED, input=self._store.header.input_version)
            for position in positions:
                status = self._table.status(position)
                waiting = replace(status, state=LineState.QUEUED, reason=None)
                self._table.put(position, waiting)
        return positions

    def cleanup(self, regained_bytes: int, seconds: float) -> None:
        """The run has cleaned up.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        with self._lock, storage_errors(self._store.folder):
            self._journal.add(cleanup=regained_bytes, seconds=round(seconds, 3))


def note_state(store: RunStore, state: RunState) -> None:
    """Write down that a run whose lock the caller holds, and that does not go on, is in ``state``.

    Raises:
        StorageError: the folder cannot be read or written.
    """
    table = load_run(store).table
    table.skip_waiting(state is RunState.CANCELLED)
    recorder = Recorder(store, table)
    try:
        recorder.run(state)
    finally:
        recorder.close()


def _memory(cost: MemoryCost | None, before: LineStatus) -> LineMemory | None:
    return before.memory if cost is None else LineMemory.of(cost)
