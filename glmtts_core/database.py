"""SQLite files opened the one right way: journal, durability, versions, damage in one sentence.

Knows nothing about what is stored. Nothing else in the program may open such a file: closing any
other handle of it would drop the locks that SQLite holds for the whole process.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glmtts_core.database_connection import (
    connect,
    discard_leftover_journals,
    for_looking,
    has_journal,
    identity,
    immediate,
    patience,
    with_fitting_journal,
)
from glmtts_core.errors import StorageError
from glmtts_core.files import flush_folder, move_new, partial_file
from glmtts_core.storage_errors import database_errors

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """What a kind of database holds.

    Attributes:
        application_id: tells the kinds of files apart; see `PRAGMA application_id`.
        migrations: the statements that lead from each version to the next, the first one from an
            empty file. Only ever added to.
    """

    application_id: int
    migrations: tuple[tuple[str, ...], ...]


class Database:
    """One connection to a database, for one thread at a time. Thread-safe.

    Made by `open_database`. Every access first makes sure that its file is still the one at `path`.

    Args:
        path: of the file.
        connection: to it.
        writes: whether it may be changed through this connection.
        immutable: whether the connection takes the file for one that nobody changes.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, *, writes: bool, immutable: bool
    ) -> None:
        self.path = path
        self._writes = writes
        self._connection = connection
        self._lock = threading.RLock()
        self._identify = _as_it_stands if immutable else identity
        self._identity = self._identify(path)

    def rows(self, statement: str, parameters: tuple[object, ...] = ()) -> list[Row]:
        """Return the rows that a statement selects.

        Raises:
            StorageError: the file is gone, damaged or cannot be read.
        """
        with self._lock, database_errors(self.path):
            self._refuse_if_replaced()
            return self._connection.execute(statement, parameters).fetchall()

    def row(self, statement: str, parameters: tuple[object, ...] = ()) -> Row:
        """Return the one row that a statement selects; raises as `rows`."""
        found = self.rows(statement, parameters)
        if len(found) != 1:
            raise StorageError("database.damaged", path=self.path)
        return found[0]

    @contextmanager
    def transaction(self, wait_s: float | None = None) -> Iterator[sqlite3.Connection]:
        """Let the caller change the database: on the disk when this ends, or not at all.

        Args:
            wait_s: for another program's transaction; None takes the usual seconds.

        Raises:
            StorageError: the disk is full or cannot be written, or the file is gone or damaged.
        """
        with self._lock, database_errors(self.path):
            self._refuse_if_replaced()
            with patience(self._connection, wait_s), immediate(self._connection):
                yield self._connection

    def close(self) -> None:
        """Close the connection; the last one leaves nothing but the one file."""
        with self._lock:
            if self._writes:
                # so that who copies the one file has everything; what cannot be moved stays safe
                with suppress(sqlite3.Error):
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._connection.close()

    @property
    def replaced(self) -> bool:
        """Whether the file was removed or replaced, or changed where nobody was to change it."""
        return self._identify(self.path) != self._identity

    def _refuse_if_replaced(self) -> None:
        if self.replaced:
            if not self.path.parent.is_dir():
                raise StorageError("storage.folder_gone", folder=self.path.parent)
            raise StorageError("database.replaced", path=self.path)


def open_database(
    path: Path, schema: Schema, *, writes: bool = True, create: bool = False
) -> Database:
    """Open a database; its version is brought up to date where it may be written.

    Args:
        schema: what it must hold.
        writes: False for a connection that only reads, and never waits for one that writes.
        create: make it where there is none.

    Raises:
        FileNotFoundError: there is none.
        StorageError: it is damaged, a newer version's or no database of this kind, in which case it
            is left untouched; or it cannot be read or written.
    """
    with database_errors(path):
        if create and not path.exists():
            with suppress(FileExistsError):  # another program was quicker
                build_database(path, schema)
        if not stat.S_ISREG(path.stat().st_mode):
            raise StorageError("database.damaged", path=path)
        must_roll_back = _refuse_unusable_untouched(path, schema)
        if writes and not _may_write(path):
            reason = os.strerror(errno.EACCES)
            raise StorageError("storage.write", folder=path.parent, reason=reason)
        mode = "mode=rw" if _may_write(path) else for_looking(path)
        connection = connect(path, mode)
        try:
            if must_roll_back:
                _refuse_unusable(connection, path, schema, thoroughly=True)
            if writes:
                connection = with_fitting_journal(connection, path)
                _migrate(connection, path, schema)
            else:
                connection.execute("PRAGMA query_only = ON")
                if _version(connection) < len(schema.migrations):
                    open_database(path, schema).close()
            return Database(path, connection, writes=writes, immutable="immutable" in mode)
        except BaseException:
            connection.close()
            raise


def build_database(
    path: Path, schema: Schema, fill: Callable[[sqlite3.Connection], None] = lambda _: None
) -> None:
    """Make a new database, all of it at one moment.

    Args:
        schema: what it holds.
        fill: puts the first rows in; an error of it leaves nothing behind.

    Raises:
        StorageError: the disk is full or cannot be written.
        FileExistsError: there is a file of that name, which stays as it is.
        OSError: the folder is gone or cannot be written.
    """
    with database_errors(path), partial_file(path.parent) as (file, temporary):
        # nobody sees the file before it is whole, and over NFS the lock on it is in SQLite's way
        with closing(connect(temporary, "mode=rw&nolock=1")) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            _migrate(connection, path, schema)
            with immediate(connection):
                fill(connection)
        os.fsync(file.fileno())
        discard_leftover_journals(path)
        move_new(temporary, path)
    flush_folder(path.parent)


def _refuse_unusable_untouched(path: Path, schema: Schema) -> bool:
    """Return whether a journal must be rolled back before anybody can look."""
    try:
        with closing(connect(path, for_looking(path))) as looking:
            _refuse_unusable(looking, path, schema, thoroughly=has_journal(path, 1))
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
            raise
        return True
    return False


def _refuse_unusable(
    connection: sqlite3.Connection, path: Path, schema: Schema, *, thoroughly: bool
) -> None:
    if connection.execute("PRAGMA application_id").fetchone() != (schema.application_id,):
        raise StorageError("database.damaged", path=path)
    if _version(connection) > len(schema.migrations):
        raise StorageError("database.newer", path=path)
    if thoroughly and connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
        raise StorageError("database.damaged", path=path)


def _migrate(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    if _version(connection) == len(schema.migrations):
        return
    with immediate(connection):
        # read again: another program may have been quicker, even a newer one
        if _version(connection) > len(schema.migrations):
            raise StorageError("database.newer", path=path)
        for statements in schema.migrations[_version(connection) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {schema.application_id}")
        connection.execute(f"PRAGMA user_version = {len(schema.migrations)}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _as_it_stands(path: Path) -> tuple[object, ...] | None:
    """Return what differs, too, once somebody has begun to change the file."""
    with suppress(OSError):
        status = path.stat()
        whose = (status.st_dev, status.st_ino)
        return (*whose, status.st_size, status.st_mtime_ns, has_journal(path))
    return None
