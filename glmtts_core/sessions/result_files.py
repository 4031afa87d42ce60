"""The sounds of results: a WAV file each in its session's folder, coming and going with its row.

Until the row is there, and as soon as it is to go, the sound has a pending name. Killed at any
moment, the row says what becomes of it (`settle_pending`); a sound by its own name is never taken
for a leftover. The record of an earlier version goes first, since it would come back.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from glmtts_core.database import Row
from glmtts_core.errors import StorageError
from glmtts_core.files import clear_old_folders, write_whole
from glmtts_core.sessions.earlier_records import number_of, record_path
from glmtts_core.sessions.result_rows import deleting
from glmtts_core.sessions.studio_database import StudioDatabase

SESSION_ID_PATTERN: Final = re.compile(r"[0-9a-f]{32}")
_SESSIONS: Final = "sessions"
_PENDING: Final = ".pending"
#: Sessions without results of which the last number stays known.
_MOST_SESSIONS: Final = 10_000
_SPOKEN_IN: Final = "SELECT DISTINCT session FROM result"
_FORGET_SESSIONS: Final = """
    DELETE FROM session WHERE id IN
        (SELECT id FROM session WHERE id NOT IN (SELECT session FROM result)
            ORDER BY last_used_s DESC LIMIT -1 OFFSET ?)"""
_log = logging.getLogger(__name__)


def session_folder(root: Path, session_id: str) -> Path:
    """Return the folder of a session under ``root``.

    Raises:
        ValueError: ``session_id`` is none; it may have come from an address, so it is checked.
    """
    if not SESSION_ID_PATTERN.fullmatch(session_id):
        raise ValueError(f"not a session id: {session_id!r}")
    return root / _SESSIONS / session_id


def wav_path(folder: Path, number: int) -> Path:
    """Return where the sound of a result lies in its session's folder."""
    return folder / f"{number:06d}.wav"


def write_pending(folder: Path, number: int, wav: bytes) -> None:
    """Write a result's sound, in the transaction that adds its row; `publish` when that holds.

    Raises:
        OSError: the disk is full or cannot be written.
    """
    write_whole(_pending_path(folder, number), wav)


def publish(folder: Path, number: int) -> None:
    """Call a sound whose row is there by its name; where that fails, `read_wav` finds it too."""
    path = wav_path(folder, number)
    try:
        _pending_path(folder, number).replace(path)
    except OSError as error:
        # another process may have settled it
        if not path.exists():
            _log.warning("cannot rename the sound of result %d in %s: %s", number, folder, error)


def read_wav(folder: Path, number: int) -> bytes:
    """Return a result's sound as the bytes of a WAV file.

    Raises:
        OSError: it is not there (any more), or cannot be read.
    """
    path = wav_path(folder, number)
    # the last one: it may just have been given its name
    for each in (path, _pending_path(folder, number)):
        with contextlib.suppress(FileNotFoundError):
            return each.read_bytes()
    return path.read_bytes()


def settle_pending(folder: Path, known: Collection[int]) -> None:
    """Have every pending sound go with its row; in a transaction, so that nobody is at it.

    Args:
        folder: the session's.
        known: the numbers of the rows that are there.

    Raises:
        OSError: the folder cannot be changed.
    """
    for path in folder.glob(f"*{_PENDING}"):
        number = number_of(path)
        if number is None:
            continue
        if number in known:
            publish(folder, number)
        else:
            path.unlink(missing_ok=True)


def _pending_path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}{_PENDING}"


def sounds_in(folder: Path) -> dict[int, Path]:
    """Return the sounds that lie in a session's folder, by number."""
    patterns = (f"*{_PENDING}", "*.wav")
    found = {number_of(path): path for pattern in patterns for path in folder.glob(pattern)}
    return {number: path for number, path in found.items() if number is not None}


def remove_result(database: StudioDatabase, session_id: str, number: int) -> bool:
    """Remove a result; one that is gone already is no error.

    Returns:
        False where the database refuses, a full disk for example: the sound is gone, which makes
        room, and the row is still to be deleted.

    Raises:
        StorageError: the session's folder cannot be changed.
    """
    folder = session_folder(database.root, session_id)
    _unlink(record_path(folder, number))
    sounds = wav_path(folder, number), _pending_path(folder, number)
    for _ in range(2):
        try:
            with deleting(database, session_id, number), contextlib.suppress(OSError):
                sounds[0].replace(sounds[1])
        except StorageError as error:
            _log.warning("cannot delete the row of result %d: %s", number, error)
            done = False
        else:
            done = True
        for each in sounds:
            _unlink(each)
        if done:
            return True
    return False


def clear_old_sessions(database: StudioDatabase, max_age_days: float, keep: frozenset[str]) -> int:
    """Remove sessions in whose folders nothing was written for ``max_age_days``; return how many.

    ``keep`` holds the ids of sessions that are open. What cannot be removed is logged.
    """
    ours = [
        folder
        for folder in (database.root / _SESSIONS).glob("*")
        if SESSION_ID_PATTERN.fullmatch(folder.name) and folder.name not in keep
    ]
    cleared = clear_old_folders(ours, max_age_days)
    try:
        _clear_rows_without_folder(database, keep)
    except StorageError as error:
        _log.warning("cannot delete the rows of old sessions: %s", error)
    return cleared


def _clear_rows_without_folder(database: StudioDatabase, keep: frozenset[str]) -> None:
    """Delete the results of sessions whose folders are gone; their last numbers stay known."""
    sessions = database.root / _SESSIONS
    if not sessions.is_dir():
        return  # such as a disk that is not there now

    def gone(found: Iterable[Row]) -> list[tuple[str]]:
        return [(each,) for (each,) in found if each not in keep and not (sessions / each).exists()]

    if not gone(database.rows(_SPOKEN_IN)):
        return
    with database.transaction() as connection:
        # again: one of them may have been used meanwhile
        without = gone(connection.execute(_SPOKEN_IN).fetchall())
        connection.executemany("DELETE FROM result WHERE session = ?", without)
        connection.execute(_FORGET_SESSIONS, (_MOST_SESSIONS,))


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:
        return
    except OSError as error:
        raise StorageError(
            "storage.write", folder=path.parent, reason=error.strerror or error
        ) from error
