"""What earlier versions and killed processes have left in a session's folder, put in order."""

from __future__ import annotations

from pathlib import Path

from glmtts_core.files import sweep_partial
from glmtts_core.sessions.earlier_records import earlier_records, noted_number, number_of
from glmtts_core.sessions.result_files import session_folder, settle_pending, sounds_in
from glmtts_core.sessions.result_rows import (
    insert_result,
    last_number,
    stored_numbers,
    use_session,
)
from glmtts_core.sessions.studio_database import StudioDatabase


def take_over(database: StudioDatabase, session_id: str) -> None:
    """Give records of earlier versions a row, all at once, and settle what is pending.

    The records stay where they are, and so do sounds that nothing lists: the database may be an
    older copy that was put back. Where there is nothing to do, nothing is written.

    Raises:
        OSError, StorageError: folder or database refuse; nothing was taken over.
    """
    folder = session_folder(database.root, session_id)
    sweep_partial([folder])
    if not any(folder.glob("[0-9]*")) and not noted_number(folder):
        return
    with database.transaction() as connection:
        known = stored_numbers(connection, session_id)
        last = highest_number_in(folder)
        settle_pending(folder, known)
        sounds = sounds_in(folder)
        records, _ = earlier_records(folder, known)
        if last > last_number(connection.execute, session_id):
            use_session(connection, session_id, last)
        for number, record in records.items():
            size = sounds[number].stat().st_size if number in sounds else 0
            insert_result(connection, session_id, record, size)


def highest_number_in(folder: Path) -> int:
    """Return the highest number that the files of a session say was given; 0 for none."""
    records = (number_of(path) or 0 for path in folder.glob("[0-9]*.json"))
    return max(noted_number(folder), *sounds_in(folder), *records, 0)
