"""The results of sessions as rows of `studio.db`."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from glmtts_core.database import Row
from glmtts_core.sessions.result_record import ResultRecord
from glmtts_core.sessions.studio_database import StudioDatabase

_COLUMNS: Final = (
    "number, text, engine, voice, second_voice, sample_rate_hz, speed, seed, rehearsed, spoken_at,"
    " seconds, audio_s, memory"
)
_log = logging.getLogger(__name__)


def stored_results(
    database: StudioDatabase, session_id: str
) -> tuple[dict[int, ResultRecord], frozenset[int]]:
    """Return a session's results by number, and the numbers of rows that cannot be read.

    Raises:
        StorageError: the database cannot be used.
    """
    found: dict[int, ResultRecord] = {}
    damaged = set()
    statement = f"SELECT {_COLUMNS} FROM result WHERE session = ?"
    for row in database.rows(statement, (session_id,)):
        try:
            found[row[0]] = _record(row)
        except (ValueError, TypeError) as error:
            _log.warning("cannot read result %s of session %s: %s", row[0], session_id, error)
            damaged.add(row[0])
    return found, frozenset(damaged)


def stored_numbers(connection: sqlite3.Connection, session_id: str) -> frozenset[int]:
    """Return the numbers of a session's results."""
    rows = connection.execute("SELECT number FROM result WHERE session = ?", (session_id,))
    return frozenset(number for (number,) in rows)


def last_number(select: Callable[[str, tuple[object, ...]], Iterable[Row]], session_id: str) -> int:
    """Return the highest number that was ever given to a result of a session; 0 before the first.

    The row says so even where the results are gone.

    Args:
        select: returns what a statement selects, such as `StudioDatabase.rows`; raises as that.
        session_id: whose.
    """
    rows = select("SELECT last_number FROM session WHERE id = ?", (session_id,))
    return max((int(number) for (number,) in rows), default=0)


def use_session(connection: sqlite3.Connection, session_id: str, number: int) -> None:
    """Note that a session is used, and that ``number`` and all below it were given."""
    now_s = time.time()
    connection.execute(
        "INSERT INTO session VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " last_used_s = excluded.last_used_s,"
        " last_number = max(last_number, excluded.last_number)",
        (session_id, now_s, now_s, number),
    )


def insert_result(
    connection: sqlite3.Connection, session_id: str, record: ResultRecord, sound_bytes: int
) -> None:
    """Add a result to a session that has a row."""
    values = (
        record.number,
        record.text,
        record.engine,
        record.voice,
        record.second_voice,
        record.sample_rate_hz,
        record.speed,
        record.seed,
        record.rehearsed,
        record.spoken_at.isoformat(),
        record.seconds,
        record.audio_s,
        json.dumps(record.memory),
        session_id,
        record.spoken_at.timestamp(),
        sound_bytes,
    )
    places = ", ".join("?" * len(values))
    connection.execute(
        f"INSERT INTO result ({_COLUMNS}, session, spoken_s, sound_bytes) VALUES ({places})",
        values,
    )


@contextmanager
def deleting(database: StudioDatabase, session_id: str, number: int) -> Iterator[None]:
    """Delete a row in a transaction around what is done inside; without a row, nothing is written.

    Raises:
        StorageError: the database cannot be used.
    """
    row = (session_id, number)
    if not database.rows("SELECT 1 FROM result WHERE session = ? AND number = ?", row):
        yield
        return
    with database.transaction() as connection:
        connection.execute("DELETE FROM result WHERE session = ? AND number = ?", row)
        yield


def beyond_count(
    database: StudioDatabase, session_id: str, max_results: int
) -> list[tuple[str, int]]:
    """Return the oldest results of a session, as many as it has too many."""
    rows = database.rows(
        "SELECT number FROM result WHERE session = ? ORDER BY number DESC LIMIT -1 OFFSET ?",
        (session_id, max_results),
    )
    return [(session_id, number) for (number,) in rows]


def beyond_bytes(
    database: StudioDatabase, max_bytes: int, keep: tuple[str, int]
) -> list[tuple[str, int]]:
    """Return the oldest results of all sessions without which the rest fits into ``max_bytes``.

    Args:
        database: where they are.
        max_bytes: what all sounds together may take.
        keep: session and number of the result that stays in any case.
    """
    total = sum(row[0] for row in database.rows("SELECT total(sound_bytes) FROM result"))
    if total <= max_bytes:
        return []
    oldest = []
    for session_id, number, size in database.rows(
        "SELECT session, number, sound_bytes FROM result ORDER BY spoken_s, session, number"
    ):
        if total <= max_bytes:
            break
        if (session_id, number) != keep:
            oldest.append((session_id, number))
            total -= size
    return oldest


def _record(row: Row) -> ResultRecord:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    return ResultRecord(
        **values
        | {
            "rehearsed": bool(values["rehearsed"]),
            "spoken_at": datetime.fromisoformat(values["spoken_at"]),
            "memory": json.loads(values["memory"]),
        }
    )
