"""The sounds of results: a WAV file each in its session's folder, and their removal with the row.

The record of an earlier version goes first, since it would come back; then the row; then the
sound, which nothing lists any more, should the process be killed before.
"""

from __future__ import annotations

import logging
import re
import time
from pathlib import Path
from typing import Final

from glmtts_core.errors import StorageError
from glmtts_core.files import clear_old_folders
from glmtts_core.sessions.earlier_records import number_of, record_path
from glmtts_core.sessions.result_rows import delete_results
from glmtts_core.sessions.studio_database import StudioDatabase

SESSION_ID_PATTERN: Final = re.compile(r"[0-9a-f]{32}")
_SESSIONS: Final = "sessions"
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


def sounds_in(folder: Path) -> dict[int, Path]:
    """Return the sounds that lie in a session's folder, by number."""
    found = {number_of(path): path for path in folder.glob("*.wav")}
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
    for _ in range(2):
        try:
            delete_results(database, session_id, [number])
        except StorageError as error:
            _log.warning("cannot delete the row of result %d: %s", number, error)
            _unlink(wav_path(folder, number))
        else:
            _unlink(wav_path(folder, number))
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
        _clear_rows_without_folder(database, max_age_days, keep)
    except StorageError as error:
        _log.warning("cannot delete the rows of old sessions: %s", error)
    return cleared


def _clear_rows_without_folder(
    database: StudioDatabase, max_age_days: float, keep: frozenset[str]
) -> None:
    """Delete the results of sessions whose folders are gone, and of old ones the session too.

    A session that is not old keeps its last number.
    """
    oldest_s = time.time() - max_age_days * 86_400
    known = database.rows(
        "SELECT id, last_used_s < ?, EXISTS (SELECT 1 FROM result WHERE session = id) FROM session",
        (oldest_s,),
    )
    gone = [
        (session_id, old)
        for session_id, old, spoken in known
        if (old or spoken)
        and session_id not in keep
        and not (database.root / _SESSIONS / session_id).exists()
    ]
    if not gone:
        return
    with database.transaction() as connection:
        for session_id, old in gone:
            connection.execute("DELETE FROM result WHERE session = ?", (session_id,))
            if old:
                connection.execute("DELETE FROM session WHERE id = ?", (session_id,))


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:
        return
    except OSError as error:
        raise StorageError(
            "storage.write", folder=path.parent, reason=error.strerror or error
        ) from error
