"""The one place through which every change of a run goes to its database, from start to end.

Pages only show changes that are already on disk.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from sqlite3 import Connection
from typing import Final

from glmtts_core.audio import encode_wav
from glmtts_core.batch.run_schema import UNFINISHED_S
from glmtts_core.batch.states import LineMemory, LineRow, RunState
from glmtts_core.batch.store import RunStore
from glmtts_core.engines.base import SynthesisResult
from glmtts_core.errors import StorageError
from glmtts_core.memory.cost import MemoryCost
from glmtts_core.message import Message
from glmtts_core.stored import json_text

_log = logging.getLogger(__name__)
_BEGIN_ATTEMPT: Final = """
    INSERT INTO attempt (uttid, content_hash, started_s, outcome)
    SELECT uttid, content_hash, ?, 'running' FROM line WHERE position = ?"""
_END_ATTEMPT: Final = """
    UPDATE attempt SET outcome = ?, ended_s = ?, seconds = ?, audio_s = ?, memory = ?, voices = ?,
        reason = ? WHERE id = ?"""
#: While a line is spoken, its file may hold the sound before or the new one.
_BEGIN_SOUND: Final = """
    INSERT INTO sound (file_stem) SELECT file_stem FROM line WHERE position = ?
    ON CONFLICT (file_stem) DO UPDATE SET content_hash = NULL"""
_KEEP_SOUND: Final = """
    UPDATE sound SET content_hash = line.content_hash, size_bytes = ?, modified_ns = ?, sha256 = ?
    FROM line WHERE line.position = ? AND sound.file_stem = line.file_stem"""


class RunWriter:
    """Writes down what happens to the lines and the run. Thread-safe.

    Args:
        store: the run's folder, whose lock the caller holds.

    Raises:
        BatchError: the database is gone.
        StorageError: it cannot be opened; as all here, it cannot be written, and then nothing has
            changed.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._database = store.connect(writes=True)
        self._lock = threading.Lock()
        self._attempts: dict[int, int] = {}

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # -- the run -----------------------------------------------------------------------------------

    def begin(self, *, retry_failed: bool = False) -> None:
        """The run begins to be spoken; what waits is queued.

        Args:
            retry_failed: have the failed lines wait again, too.
        """
        with self._database.transaction() as change:
            settle_crash(change)
            change.execute("UPDATE line SET state = 'queued' WHERE state = 'done' AND lost")
            if retry_failed:
                change.execute("UPDATE line SET state = 'queued' WHERE state = 'failed'")
            change.execute(
                "UPDATE run SET state = ?, reason = NULL, started_s = ?",
                (RunState.RUNNING, time.time()),
            )

    def end(self, state: RunState, reason: Message | None, active_s: float = 0.0) -> None:
        """The run is not spoken any more.

        Args:
            state: that it is in now.
            reason: why it paused by itself.
            active_s: seconds since its beginning.
        """
        with self._database.transaction() as change:
            change.execute("UPDATE attempt SET outcome = 'stopped' WHERE outcome = 'running'")
            change.execute("UPDATE line SET state = 'queued' WHERE state = 'running'")
            change.execute(
                "UPDATE run SET state = ?, reason = ?, started_s = NULL, active_s = active_s + ?",
                (state, _json(reason), active_s),
            )

    def cancel(self) -> None:
        """A run that nobody carries on is cancelled."""
        with self._database.transaction() as change:
            settle_crash(change)
            change.execute("UPDATE run SET state = ?, reason = NULL", (RunState.CANCELLED,))

    def cleanup(self, regained_bytes: int, seconds: float) -> None:
        """The run has cleaned up."""
        with self._database.transaction() as change:
            change.execute(
                "INSERT INTO cleanup VALUES (?, ?, ?)", (time.time(), regained_bytes, seconds)
            )

    def retry_failed(self) -> dict[int, int]:
        """Have the failed lines wait again; return how long their texts are by position, rising."""
        with self._database.transaction() as change:
            failed = change.execute(
                "SELECT position, length(json_extract(line, '$.text')) FROM line"
                " WHERE state = 'failed' ORDER BY position"
            ).fetchall()
            change.execute("UPDATE line SET state = 'queued' WHERE state = 'failed'")
        return dict(failed)

    def note_sounds(self, missing: Iterable[int], *, queue: bool = False) -> None:
        """Remember of which done lines the sounds are missing; all others have theirs.

        Args:
            missing: their positions.
            queue: have them wait again at once, and not only with the next start.
        """
        marks = [(position,) for position in missing]
        with self._database.transaction() as change:
            change.execute("UPDATE line SET lost = 0 WHERE lost AND state = 'done'")
            change.executemany("UPDATE line SET lost = 1 WHERE position = ?", marks)
            if queue:
                change.execute("UPDATE line SET state = 'queued' WHERE state = 'done' AND lost")

    def forget_sounds(self, stems: Iterable[str]) -> None:
        """Forget sounds that belong to no line any more and whose files are gone."""
        with self._database.transaction() as change:
            gone = [(stem,) for stem in stems]
            change.executemany("DELETE FROM sound WHERE file_stem = ?", gone)

    def correct(self, fill: Callable[[Connection], None]) -> None:
        """Another input takes the place of the run's, all at once, as ``fill`` puts it in."""
        with self._database.transaction() as change:
            settle_crash(change)
            fill(change)

    # -- lines -------------------------------------------------------------------------------------

    def running(self, position: int) -> None:
        """A line is about to be spoken."""
        with self._database.transaction() as change:
            begun = change.execute(_BEGIN_ATTEMPT, (time.time(), position))
            change.execute(_BEGIN_SOUND, (position,))
            self._state(change, position, "running")
        with self._lock:
            self._attempts[position] = begun.lastrowid or 0

    def done(self, row: LineRow, result: SynthesisResult) -> None:
        """A line was spoken: its sound goes to the disk, then the line is done; the one sink.

        Raises:
            StorageError: the disk is full or cannot be written.
            AudioError: the sound holds NaN or infinity.
        """
        wav = encode_wav(result.audio.samples, result.audio.sample_rate_hz)
        modified_ns = self._store.write_audio(row.line, wav)
        digest = hashlib.sha256(wav).hexdigest()
        with self._database.transaction() as change:
            change.execute(_KEEP_SOUND, (len(wav), modified_ns, digest, row.position))
            change.execute("UPDATE line SET lost = 0 WHERE position = ?", (row.position,))
            self._end(change, row.position, "done", result.memory, result=result)
            self._state(change, row.position, "done")

    def retrying(self, position: int, memory: MemoryCost | None) -> None:
        """A line that lost its memory or its engine's process waits to be spoken once more."""
        with self._database.transaction() as change:
            self._end(change, position, "retried", memory)
            self._state(change, position, "queued")

    def failed(self, position: int, reason: Message, memory: MemoryCost | None = None) -> None:
        """A line cannot be spoken."""
        with self._database.transaction() as change:
            self._end(change, position, "failed", memory, reason=reason)
            self._state(change, position, "failed")

    def queued(self, position: int) -> None:
        """Queue a stopped line again, unless it has ended meanwhile.

        A full disk is only logged: the line is then kept as "running", which waits again too as
        soon as the run has ended.
        """
        try:
            with self._database.transaction() as change:
                # what the attempt before has cost is still of use
                change.execute(
                    "UPDATE attempt SET outcome = 'stopped', ended_s = ?"
                    " WHERE id = ? AND outcome = 'running'",
                    (time.time(), self._attempts[position]),
                )
                change.execute(
                    "UPDATE line SET state = 'queued' WHERE position = ? AND state = 'running'",
                    (position,),
                )
        except StorageError as error:
            _log.warning("%s: %s", self._store.id, error)

    def _end(
        self,
        change: Connection,
        position: int,
        outcome: str,
        cost: MemoryCost | None,
        *,
        result: SynthesisResult | None = None,
        reason: Message | None = None,
    ) -> None:
        attempt = self._attempts[position]
        memory = None if cost is None else json_text(asdict(LineMemory.of(cost)))
        seconds = audio_s = voices = None
        if result is not None:
            seconds, audio_s = round(result.seconds, 4), round(result.audio.duration_s, 4)
            voices = json_text(result.audio.voices) if result.audio.voices else None
        change.execute(
            _END_ATTEMPT,
            (outcome, time.time(), seconds, audio_s, memory, voices, _json(reason), attempt),
        )
        change.execute(
            "UPDATE line SET attempt = ?, audio_s = ? WHERE position = ?",
            (attempt, audio_s, position),
        )

    def _state(self, change: Connection, position: int, state: str) -> None:
        change.execute("UPDATE line SET state = ? WHERE position = ?", (state, position))


def settle_crash(change: Connection) -> None:
    """Put down how a process that has died has left the run: nobody carries it on now."""
    change.execute(
        f"UPDATE run SET started_s = NULL, active_s = active_s + coalesce({UNFINISHED_S}, 0)"
    )
    change.execute("UPDATE attempt SET outcome = 'crashed' WHERE outcome = 'running'")
    change.execute("UPDATE line SET state = 'queued' WHERE state = 'running'")


def _json(reason: Message | None) -> str | None:
    return None if reason is None else json_text(asdict(reason))
