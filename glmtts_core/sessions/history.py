"""What a session has spoken, on disk: one folder a session, a WAV file and a JSON record a result.

Written to a temporary name and renamed, the number first, then the audio, then the record, so that
a crash at any moment leaves either a whole result or none, and no number is given twice. Knows
nothing about jobs or pages.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from glmtts_core.audio import encode_wav
from glmtts_core.engines.base import SynthesisResult
from glmtts_core.errors import StorageError
from glmtts_core.files import clear_old_folders, sweep_partial, write_whole
from glmtts_core.sessions.result_record import ResultRecord
from glmtts_core.speech import SynthesisRequest

SESSION_ID_PATTERN: Final = re.compile(r"[0-9a-f]{32}")
#: Results kept in memory where the disk refuses; each is some hundred kB.
MAX_UNSAVED_RESULTS: Final = 5
_RECORD_SUFFIX: Final = ".json"
#: Holds the highest number that was given to a result, so that it is not used again.
_LAST_NUMBER_FILE: Final = "last_number"
_NUMBER: Final = re.compile(r"[0-9]{1,8}")
_SESSIONS: Final = "sessions"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listing:
    """The results of a session, newest first, and the names of records that cannot be read."""

    records: tuple[ResultRecord, ...]
    unreadable: tuple[str, ...]


class SessionHistory:
    """The results of one session on disk. Thread-safe."""

    def __init__(self, folder: Path, max_results: int) -> None:
        self._folder = folder
        self._max_results = max_results
        self._lock = threading.Lock()
        #: The last number given by this object, whether or not the disk has taken it.
        self._highest_number = 0
        self._swept = False
        self._listing: Listing | None = None
        self._unsaved: dict[int, tuple[ResultRecord, bytes]] = {}

    def save(
        self,
        request: SynthesisRequest,
        result: SynthesisResult,
        engine: str,
        *,
        rehearsed: bool = False,
    ) -> ResultRecord:
        """Store a result; the oldest go when there are more than the session may keep.

        Where the disk refuses (full, no permission), the result stays in memory, is listed and
        playable all the same, and says why it is not saved; the last few of these are kept.
        """
        with self._lock:
            self._sweep_once()
            reference = request.reference.name if request.reference else ""
            self._highest_number = self._last_number() + 1
            record = ResultRecord(
                number=self._highest_number,
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
            try:
                self._write(record, wav)
            except OSError as error:
                _log.warning("cannot save result %d in %s: %s", record.number, self._folder, error)
                reason = error.strerror or str(error)
                record = record.model_copy(update={"unsaved_reason": reason})
                self._keep_unsaved(record, wav)
            self._listing = None
            self._prune()
            return record

    def list(self) -> Listing:
        """Return the stored results, newest first."""
        with self._lock:
            self._sweep_once()
            return self._list()

    def wav(self, number: int) -> bytes:
        """Return a result's audio as the bytes of a WAV file.

        Raises:
            StorageError: it is not there any more, or cannot be read.
        """
        with self._lock:
            if number in self._unsaved:
                return self._unsaved[number][1]
        try:
            return self._wav_path(number).read_bytes()
        except OSError as error:
            raise StorageError(
                "storage.read", name=self._wav_path(number).name, reason=error.strerror or error
            ) from error

    def delete(self, number: int) -> None:
        """Remove a result; one that is gone already is no error.

        Raises:
            StorageError: the folder cannot be changed.
        """
        with self._lock:
            self._remove(number)

    def _write(self, record: ResultRecord, wav: bytes) -> None:
        self._write_number(record.number)
        write_whole(self._wav_path(record.number), wav)
        try:
            write_whole(self._record_path(record.number), record.model_dump_json().encode())
        except OSError:
            self._wav_path(record.number).unlink(missing_ok=True)
            raise

    def _prune(self) -> None:
        for old in self._list().records[self._max_results :]:
            try:
                self._remove(old.number)
            except StorageError as error:
                _log.warning("cannot remove the old result %d: %s", old.number, error)

    def _keep_unsaved(self, record: ResultRecord, wav: bytes) -> None:
        self._unsaved[record.number] = (record, wav)
        while len(self._unsaved) > MAX_UNSAVED_RESULTS:
            del self._unsaved[min(self._unsaved)]

    def _remove(self, number: int) -> None:
        if self._unsaved.pop(number, None) is not None:
            self._listing = None
            return
        if number <= max(self._numbers_in_use(), default=0):
            self._remember_number(number)
        try:
            # the record first: a crash in between leaves audio that nothing lists, not a dead entry
            self._record_path(number).unlink(missing_ok=True)
            self._wav_path(number).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(
                "storage.write", folder=self._folder, reason=error.strerror or error
            ) from error
        self._listing = None

    def _remember_number(self, number: int) -> None:
        """Keep ``number`` where an older version, which wrote none, has not."""
        self._highest_number = max(self._highest_number, number)
        try:
            if number > self._number_on_disk():
                self._write_number(number)
        except OSError as error:
            # a full disk is just what deleting is to help against
            _log.warning("cannot remember number %d in %s: %s", number, self._folder, error)

    def _write_number(self, number: int) -> None:
        write_whole(self._folder / _LAST_NUMBER_FILE, str(number).encode())

    def _sweep_once(self) -> None:
        """Remove what a process that died has left: a session is written by one process only."""
        if self._swept:
            return
        self._swept = True
        sweep_partial([self._folder])
        for number in self._numbers_in_use():
            if not self._record_path(number).exists():
                self._remember_number(number)
                try:
                    self._wav_path(number).unlink(missing_ok=True)
                except OSError as error:
                    _log.warning("cannot remove the audio %s: %s", self._wav_path(number), error)

    def _list(self) -> Listing:
        if self._listing is None:
            records = [record for record, _ in self._unsaved.values()]
            unreadable = []
            for path in self._folder.glob(f"[0-9]*{_RECORD_SUFFIX}"):
                try:
                    records.append(self._record(path))
                except (OSError, ValueError) as error:
                    _log.warning("cannot read the record %s: %s", path, error)
                    unreadable.append(path.name)
            records.sort(key=lambda record: record.number, reverse=True)
            self._listing = Listing(tuple(records), tuple(unreadable))
        return self._listing

    def _last_number(self) -> int:
        used = max(self._numbers_in_use(), default=0)
        return max(self._highest_number, self._number_on_disk(), used)

    def _record(self, path: Path) -> ResultRecord:
        record = ResultRecord.model_validate_json(path.read_bytes())
        if self._record_path(record.number).name != path.name:
            raise ValueError(f"it calls itself number {record.number}")
        return record

    def _number_on_disk(self) -> int:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            kept = (self._folder / _LAST_NUMBER_FILE).read_text(encoding="ascii")
            return int(kept) if _NUMBER.fullmatch(kept) else 0
        return 0

    def _numbers_in_use(self) -> tuple[int, ...]:
        stems = [path.stem for path in self._folder.glob("*.wav")]
        return tuple(int(stem) for stem in stems if _NUMBER.fullmatch(stem))

    def _wav_path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.wav"

    def _record_path(self, number: int) -> Path:
        return self._folder / f"{number:06d}{_RECORD_SUFFIX}"


def session_folder(root: Path, session_id: str) -> Path:
    """Return the folder of a session under ``root``.

    Raises:
        ValueError: ``session_id`` is none; it may have come from an address, so it is checked.
    """
    if not SESSION_ID_PATTERN.fullmatch(session_id):
        raise ValueError(f"not a session id: {session_id!r}")
    return root / _SESSIONS / session_id


def clear_old_sessions(root: Path, max_age_days: float, keep: frozenset[str]) -> int:
    """Remove session folders in which nothing was written for ``max_age_days``; return how many.

    ``keep`` holds the ids of sessions that are open. A folder that cannot be removed is logged.
    """
    ours = [
        folder
        for folder in (root / _SESSIONS).glob("*")
        if SESSION_ID_PATTERN.fullmatch(folder.name) and folder.name not in keep
    ]
    return clear_old_folders(ours, max_age_days)
