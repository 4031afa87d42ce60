"""Connections to SQLite files, and the journals beside them.

A journal that works where the file lies, and none that belongs to a file which is gone.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from glmtts_core.errors import StorageError
from glmtts_core.network_folders import on_network
from glmtts_core.storage_errors import BUSY

#: Seconds to wait for another program's transaction.
_BUSY_S: Final = 5.0
#: Longest path that SQLite opens (``MAX_PATHNAME`` of its os_unix.c, less the journal's suffix).
_PATH_BYTES: Final = 504


def connect(path: Path, mode: str, locking: str = "NORMAL") -> sqlite3.Connection:
    """Open a connection that makes no transaction by itself.

    Args:
        path: of the file.
        mode: as in a URI of SQLite's.
        locking: "EXCLUSIVE" keeps everybody else out, and needs no shared memory.

    Raises:
        StorageError: the path is too long for SQLite.
        sqlite3.Error: the file cannot be opened.
    """
    size_bytes = len(os.fsencode(os.path.realpath(path)))
    if size_bytes > _PATH_BYTES:
        spare = size_bytes - _PATH_BYTES
        raise StorageError("database.long_path", folder=path.parent, count=spare)
    name = f"file:{quote(os.fsencode(path.absolute()))}?{mode}"
    connection = sqlite3.connect(
        name, _BUSY_S, isolation_level=None, check_same_thread=False, uri=True
    )
    # before anything else, which would already use shared memory
    connection.execute(f"PRAGMA locking_mode = {locking}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


@contextmanager
def immediate(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Make a transaction of what is done inside, undone where that fails."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def patience(connection: sqlite3.Connection, wait_s: float | None) -> Iterator[None]:
    """Wait less for another program's transaction than usual; None changes nothing."""
    if wait_s is None:
        yield
        return
    connection.execute(f"PRAGMA busy_timeout = {round(wait_s * 1e3)}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(_BUSY_S * 1e3)}")


def with_fitting_journal(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Return a connection whose journal works where the file lies, as a trial shows."""
    try:
        if not on_network(path):
            _use_wal(connection)
            with immediate(connection):
                return connection
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (*BUSY, sqlite3.SQLITE_FULL):
            raise
    connection.close()
    # exclusive: needs no shared memory, and so can leave the other journal where it does not work
    with closing(connect(path, "mode=rw", "EXCLUSIVE")) as alone:
        alone.execute("PRAGMA journal_mode = DELETE")
    return connect(path, "mode=rw")


def _use_wal(connection: sqlite3.Connection, tries: int = 100) -> None:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in BUSY or tries == 1:
            raise
        with immediate(connection, "EXCLUSIVE"):
            pass  # waits for other programs, which the change of the journal does not
        _use_wal(connection, tries - 1)


def for_looking(path: Path) -> str:
    """Return how to open the file without changing it, or anything beside it but shared memory."""
    return "mode=ro" if has_journal(path) else "mode=ro&immutable=1"


def has_journal(path: Path, least_bytes: int = 0) -> bool:
    """Whether one lies beside the file: of an open connection, or not empty of a killed writer."""
    beside = _journals(path)
    return any(each.exists() and each.stat().st_size >= least_bytes for each in beside)


def _journals(path: Path) -> list[Path]:
    return [Path(f"{os.path.realpath(path)}{suffix}") for suffix in ("-wal", "-journal")]


def discard_leftover_journals(path: Path) -> None:
    """Remove those of a database that is gone: SQLite would apply them to a new one."""
    there = {journal: identity(journal) for journal in _journals(path)}
    # looked for after them: a database that another program makes meanwhile comes before its own
    if not os.path.lexists(path):
        for journal, known in there.items():
            if known is not None and identity(journal) == known:
                journal.unlink(missing_ok=True)


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of the same name; None where there is none."""
    with suppress(OSError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None
