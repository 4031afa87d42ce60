"""Events in `studio.db`: added, read newest first, and bounded by count, age and bytes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from glmtts_core.errors import StorageError
from glmtts_core.sessions.events import Cleanup, EngineLoss, Eviction, Experiment, Failure, Load
from glmtts_core.sessions.studio_database import StudioDatabase
from glmtts_core.sessions.studio_schema import EVENT_TABLES

Event = Cleanup | Load | Eviction | Failure | EngineLoss | Experiment
E = TypeVar("E", Cleanup, Load, Eviction, Failure, EngineLoss, Experiment)
_TABLES: Final[dict[type[Event], str]] = {
    Cleanup: "cleanup",
    Load: "load",
    Eviction: "eviction",
    Failure: "failure",
    EngineLoss: "engine_loss",
    Experiment: "experiment",
}
_ADAPTERS: Final[dict[type[Event], TypeAdapter[Any]]] = {
    kind: TypeAdapter(kind) for kind in _TABLES
}
_DAY_S: Final = 86_400
#: For another program's transaction: who writes an event down has others waiting.
_WAIT_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class EventLimits:
    """How much is kept; what goes beyond goes oldest first.

    Attributes:
        max_age_days: older events go.
        max_events: of each kind.
        max_file_bytes: once the file holds more, results included, each kind is halved.
        min_events: of each kind that the file's size never takes.
    """

    max_age_days: float
    max_events: int = 10_000
    max_file_bytes: int = 256 * 2**20
    min_events: int = 100


class EventLog:
    """What happened, for the whole program. Thread-safe.

    Args:
        database: of the output folder.
        limits: how much is kept.
    """

    def __init__(self, database: StudioDatabase, limits: EventLimits) -> None:
        self._database = database
        self._limits = limits

    def add(self, event: Event) -> int:
        """Write an event, let go what is too old or too much, and return the event's id.

        Raises:
            StorageError: the database refuses.
        """
        table = _TABLES[type(event)]
        row = _ADAPTERS[type(event)].dump_python(event, mode="json", round_trip=True)
        places = ", ".join("?" * len(row))
        with self._database.transaction(_WAIT_S) as connection:
            cursor = connection.execute(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values())
            )
            self._prune(connection, table)
            return int(cursor.lastrowid or 0)

    def complete_cleanup(
        self, cleanup_id: int, *, load_s: float, seconds: float, growth_bytes: int
    ) -> None:
        """Add to a cleanup what the next synthesis has paid; one that was pruned is ignored.

        Raises:
            StorageError: the database refuses.
        """
        with self._database.transaction(_WAIT_S) as connection:
            connection.execute(
                "UPDATE cleanup SET next_load_s = ?, next_seconds = ?, next_growth_bytes = ?"
                " WHERE id = ?",
                (load_s, seconds, growth_bytes, cleanup_id),
            )

    def recent(self, kind: type[E], limit: int = 100) -> Sequence[E]:
        """Return the newest events of a kind, the newest first.

        Raises:
            StorageError: the database is damaged or cannot be read.
        """
        names = [field.name for field in fields(kind)]
        rows = self._database.rows(
            f"SELECT {', '.join(names)} FROM {_TABLES[kind]} ORDER BY id DESC LIMIT ?", (limit,)
        )
        try:
            return [
                _ADAPTERS[kind].validate_python(dict(zip(names, row, strict=True))) for row in rows
            ]
        except ValidationError as error:
            raise StorageError("database.damaged", path=self._database.path) from error

    def _prune(self, connection: sqlite3.Connection, table: str) -> None:
        limits = self._limits
        oldest_s = time.time() - limits.max_age_days * _DAY_S
        for each in EVENT_TABLES:
            connection.execute(f"DELETE FROM {each} WHERE at_s < ?", (oldest_s,))
        _keep_newest(connection, table, limits.max_events)
        if _used_bytes(connection) > limits.max_file_bytes:
            for each in EVENT_TABLES:
                ((count,),) = connection.execute(f"SELECT count(*) FROM {each}")
                _keep_newest(connection, each, max(limits.min_events, count // 2))


def _keep_newest(connection: sqlite3.Connection, table: str, count: int) -> None:
    # ids rise by one, so these are at most as many
    connection.execute(
        f"DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - ?", (count,)
    )


def _used_bytes(connection: sqlite3.Connection) -> int:
    """Return the bytes of the file that hold something: free pages are used before it grows."""
    pages, free, page_bytes = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * page_bytes)
