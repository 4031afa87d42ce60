"""What earlier versions and killed processes have left in a session's folder, put in order."""

from __future__ import annotations

import logging
from pathlib import Path

from glmtts_core.files import sweep_partial
from glmtts_core.sessions.earlier_records import earlier_last_number, earlier_records, number_of
from glmtts_core.sessions.result_files import session_folder, sounds_in
from glmtts_core.sessions.result_rows import (
    first_used_s,
    insert_result,
    last_number,
    stored_numbers,
    use_session,
)
from glmtts_core.sessions.studio_database import StudioDatabase

_log = logging.getLogger(__name__)


def take_over(database: StudioDatabase, session_id: str) -> None:
    """Give records of earlier versions a row, all at once, and remove sounds that nothing lists.

    The records stay where they are, and so do sounds from before the database knew the session: it
    may have been moved away. Where there is nothing to do, nothing is written.

    Raises:
        StorageError: the database refuses; nothing was taken over.
    """
    folder = session_folder(database.root, session_id)
    sweep_partial([folder])
    if not any(folder.glob("[0-9]*")) and not earlier_last_number(folder):
        return
    with database.transaction() as connection:
        # inside: whoever writes a sound holds the database until its row is there
        known = stored_numbers(connection, session_id)
        known_since_s = first_used_s(connection, session_id)
        sounds = sounds_in(folder)
        records, _ = earlier_records(folder, known)
        named = {number_of(path) for path in folder.glob("[0-9]*.json")}
        last = highest_number_in(folder)
        if last > last_number(connection, session_id):
            use_session(connection, session_id, last)
        for number, record in records.items():
            size = sounds[number].stat().st_size if number in sounds else 0
            insert_result(connection, session_id, record, size)
    for number, path in sounds.items():
        if number not in known | named and known_since_s is not None:
            _remove_newer(path, known_since_s)


def highest_number_in(folder: Path) -> int:
    """Return the highest number that the files of a session say was given; 0 for none."""
    records = (number_of(path) or 0 for path in folder.glob("[0-9]*.json"))
    return max(earlier_last_number(folder), *sounds_in(folder), *records, 0)


def _remove_newer(path: Path, than_s: float) -> None:
    try:
        if path.stat().st_mtime > than_s:
            path.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("cannot remove the audio %s: %s", path, error)
