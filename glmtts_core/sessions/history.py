"""What a session has spoken, on disk: a WAV file in its folder and a row in `studio.db` a result.

A crash at any moment leaves either a whole result or none, and no number is given twice. Reading
changes nothing on the disk. Knows nothing about jobs or pages.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from glmtts_core.audio import encode_wav
from glmtts_core.engines.base import SynthesisResult
from glmtts_core.errors import StorageError
from glmtts_core.sessions.earlier_records import earlier_records, note_number
from glmtts_core.sessions.result_files import (
    publish,
    read_wav,
    remove_result,
    session_folder,
    wav_path,
    write_pending,
)
from glmtts_core.sessions.result_record import ResultRecord
from glmtts_core.sessions.result_rows import (
    beyond_bytes,
    beyond_count,
    insert_result,
    last_number,
    stored_results,
    use_session,
)
from glmtts_core.sessions.studio_database import StudioDatabase
from glmtts_core.sessions.take_over import highest_number_in, take_over
from glmtts_core.speech import SynthesisRequest
from glmtts_core.storage_errors import storage_errors

#: Results kept in memory where the disk refuses; each is some hundred kB.
MAX_UNSAVED_RESULTS: Final = 5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listing:
    """The results of a session.

    Attributes:
        records: newest first.
        unreadable: the names of records that cannot be read.
        error: why only unsaved results are listed; None where the database can be read.
    """

    records: tuple[ResultRecord, ...]
    unreadable: tuple[str, ...] = ()
    error: StorageError | None = None


@dataclass
class _Memory:
    """What the disk does not know (yet), behind a lock that is only held for moments.

    Attributes:
        unsaved: results that the disk has refused.
        gone: numbers of removed results whose rows the database would not let go.
        highest_number: the last number that was given, whether or not the disk has taken it.
        stored: what the disk held when the database was at `version`; None once that is over.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    unsaved: dict[int, tuple[ResultRecord, bytes]] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    highest_number: int = 0
    stored: Listing | None = None
    version: tuple[int, int] = (0, 0)


class SessionHistory:
    """The results of one session on disk. Thread-safe.

    Args:
        database: of the output folder.
        session_id: whose results.
        max_results: how many the session keeps; the oldest go first.
        max_bytes: what the sounds of all sessions together may take; the oldest go first.
    """

    def __init__(
        self, database: StudioDatabase, session_id: str, *, max_results: int, max_bytes: int
    ) -> None:
        self._database = database
        self._id = session_id
        self._folder = session_folder(database.root, session_id)
        self._max_results = max_results
        self._max_bytes = max_bytes
        self._changing = threading.Lock()
        self._settled = False
        self._memory = _Memory()

    def save(
        self,
        request: SynthesisRequest,
        result: SynthesisResult,
        engine: str,
        *,
        rehearsed: bool = False,
    ) -> ResultRecord:
        """Store a result; the oldest go when there are more than may be kept.

        Where the disk refuses (full, no permission), the result stays in memory, is listed and
        playable all the same, and says why it is not saved; the last few of these are kept.
        """
        reference = request.reference.name if request.reference else ""
        make = partial(
            ResultRecord,
            text=request.text,
            engine=engine,
            voice=request.voice or reference,
            sample_rate_hz=result.audio.sample_rate_hz,
            speed=request.speed,
            spoken_at=datetime.now().astimezone(),
            seconds=result.seconds,
            audio_s=result.audio.duration_s,
            memory=result.memory.to_dict(),
            seed=request.seed,
            rehearsed=rehearsed,
            second_voice=request.second_voice,
        )
        wav = encode_wav(result.audio.samples, result.audio.sample_rate_hz)
        with self._changing:
            try:
                with storage_errors(self._database.root):
                    record = self._store(make, wav)
            except StorageError as error:
                _log.warning("cannot save a result in %s: %s", self._folder, error)
                return self._keep_unsaved(make, wav, error)
            self._prune(record.number)
            return record

    def list(self) -> Listing:
        """Return the results, newest first; what cannot be read is named."""
        memory = self._memory
        with memory.lock:
            unsaved = [record for record, _ in memory.unsaved.values()]
            try:
                stored = self._stored()
            except StorageError as error:
                memory.stored = None
                stored = Listing((), (), error)
            kept = [each for each in stored.records if each.number not in memory.gone]
        records = sorted([*unsaved, *kept], key=lambda record: record.number, reverse=True)
        return Listing(tuple(records), stored.unreadable, stored.error)

    def wav(self, number: int) -> bytes:
        """Return a result's audio as the bytes of a WAV file.

        Raises:
            StorageError: it is not there any more, or cannot be read.
        """
        with self._memory.lock:
            if number in self._memory.unsaved:
                return self._memory.unsaved[number][1]
        try:
            return read_wav(self._folder, number)
        except OSError as error:
            name, reason = wav_path(self._folder, number).name, error.strerror or error
            raise StorageError("storage.read", name=name, reason=reason) from error

    def delete(self, number: int) -> None:
        """Remove a result; one that is gone already is no error.

        Raises:
            StorageError: the folder cannot be changed.
        """
        with self._changing:
            with self._memory.lock:
                if self._memory.unsaved.pop(number, None) is not None:
                    return
            try:
                self._settle()
            except (OSError, StorageError) as error:
                # a full disk is just what deleting is to help against
                _log.warning("cannot tidy up in %s: %s", self._folder, error)
            whole = remove_result(self._database, self._id, number)
            with self._memory.lock:
                self._memory.stored = None
                if not whole:
                    self._memory.gone.add(number)

    # -- writing -------------------------------------------------------------------------------

    def _store(self, make: Callable[..., ResultRecord], wav: bytes) -> ResultRecord:
        self._settle()
        # until it is known to be written: what is pending then has to be settled
        self._settled = False
        with self._database.transaction() as connection:
            number = self._next_number(last_number(connection.execute, self._id))
            record = make(number=number)
            write_pending(self._folder, number, wav)
            use_session(connection, self._id, number)
            insert_result(connection, self._id, record, len(wav))
        self._settled = True
        publish(self._folder, number)
        self._memory.highest_number = number
        return record

    def _keep_unsaved(
        self, make: Callable[..., ResultRecord], wav: bytes, error: StorageError
    ) -> ResultRecord:
        noted = 0
        with contextlib.suppress(StorageError):
            noted = last_number(self._database.rows, self._id)
        number = self._next_number(noted)
        record = make(number=number, unsaved_reason=error.message)
        memory = self._memory
        with memory.lock:
            memory.highest_number = number
            memory.unsaved[number] = (record, wav)
            while len(memory.unsaved) > MAX_UNSAVED_RESULTS:
                del memory.unsaved[min(memory.unsaved)]
        try:
            # not in the database, which may be what refuses
            note_number(self._folder, number)
        except OSError as refusal:
            # then a restart may give it again, to the first result that the disk takes
            _log.warning("cannot note number %d of session %s: %s", number, self._id, refusal)
        return record

    def _next_number(self, noted: int) -> int:
        """Return the number after those that were given, of which the database knows ``noted``.

        The files tell as well: the database may be an older copy, or a new one.
        """
        return max(noted, highest_number_in(self._folder), self._memory.highest_number) + 1

    def _prune(self, newest: int) -> None:
        try:
            old = beyond_count(self._database, self._id, self._max_results)
            old += beyond_bytes(self._database, self._max_bytes, keep=(self._id, newest))
        except StorageError as error:
            _log.warning("cannot look for old results: %s", error)
            return
        for session_id, number in dict.fromkeys(old):
            try:
                remove_result(self._database, session_id, number)
            except StorageError as error:
                _log.warning("cannot remove the old result %d: %s", number, error)

    def _settle(self) -> None:
        """Take over what earlier versions and killed processes have left, once."""
        if not self._settled:
            take_over(self._database, self._id)
            self._settled = True
        for number in tuple(self._memory.gone):
            if remove_result(self._database, self._id, number):
                with self._memory.lock:
                    self._memory.gone.discard(number)

    # -- reading -------------------------------------------------------------------------------

    def _stored(self) -> Listing:
        if not self._folder.is_dir():
            # removed, or on a disk that is not there now
            return Listing(())
        version = self._database.version()
        memory = self._memory
        if memory.stored is None or version != memory.version:
            found, damaged = stored_results(self._database, self._id)
            earlier, unreadable = earlier_records(self._folder, found.keys() | damaged)
            names = tuple(f"{number:06d}" for number in sorted(damaged)) + unreadable
            memory.stored = Listing((*found.values(), *earlier.values()), names)
            memory.version = version
        return memory.stored
