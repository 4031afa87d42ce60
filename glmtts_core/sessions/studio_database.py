"""`studio.db` in the output folder: what was spoken and what happened, for the whole program.

Knows how to open the file, and nothing about what its tables mean.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from glmtts_core.database import Database, Row, open_database
from glmtts_core.errors import StorageError
from glmtts_core.sessions.studio_schema import SCHEMA

FILE_NAME: Final = "studio.db"


class StudioDatabase:
    """Reads through one connection and writes through another, so that readers never wait.

    Nothing is made on the disk before something is written. A connection that has failed, or whose
    file was removed, is opened anew at the next use: what was put right works again. Thread-safe.

    Args:
        root: the output folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / FILE_NAME
        # each for its own: opening the writer may wait for another program's transaction
        self._reading_lock = threading.Lock()
        self._writing_lock = threading.Lock()
        self._reader: Database | None = None
        self._writer: Database | None = None
        self._openings = 0

    def rows(self, statement: str, parameters: tuple[object, ...] = ()) -> list[Row]:
        """Return the rows that a statement selects; none where nothing was ever written.

        Raises:
            StorageError: the file is damaged, a newer version's, or cannot be read.
        """
        reader = self._reading()
        try:
            return [] if reader is None else reader.rows(statement, parameters)
        except StorageError:
            self._drop(reader)
            raise

    def version(self) -> tuple[int, int]:
        """Return what differs once something was written, by whatever process.

        Raises:
            StorageError: as `rows`.
        """
        found = self.rows("PRAGMA data_version")
        # the second counts for one connection only
        return (self._openings, int(found[0][0])) if found else (0, 0)

    @contextmanager
    def transaction(self, wait_s: float | None = None) -> Iterator[sqlite3.Connection]:
        """Let the caller change the database: on the disk when this ends, or not at all.

        Args:
            wait_s: for another program's transaction; None takes the usual seconds.

        Raises:
            StorageError: the disk refuses, or the file is busy, damaged or a newer version's.
        """
        writer = self._writing()
        try:
            with writer.transaction(wait_s) as connection:
                yield connection
        except StorageError as error:
            if error.message.key != "database.busy":
                self._drop(writer)
            raise

    def close(self) -> None:
        """Close the connections; a later use opens them anew."""
        self._close(lambda _: True)

    def _close_if_replaced(self) -> None:
        """What the file before had not yet written back must not get into another one."""
        if any(each is not None and each.replaced for each in (self._writer, self._reader)):
            # again, with both locks: another thread may have opened the new one meanwhile
            self._close(lambda each: each.replaced)

    def _close(self, wanted: Callable[[Database], bool]) -> None:
        with self._writing_lock, self._reading_lock:
            if self._writer is not None and wanted(self._writer):
                self._writer.close()
                self._writer = None
            if self._reader is not None and wanted(self._reader):
                self._reader.close()
                self._reader = None

    def _reading(self) -> Database | None:
        self._close_if_replaced()
        with self._reading_lock:
            if self._reader is None:
                try:
                    self._reader = open_database(self.path, SCHEMA, writes=False)
                except (FileNotFoundError, NotADirectoryError):
                    return None
                except OSError as error:
                    raise self._refusal(error) from error
                self._openings += 1
            return self._reader

    def _writing(self) -> Database:
        self._close_if_replaced()
        with self._writing_lock:
            if self._writer is None:
                try:
                    self.root.mkdir(parents=True, exist_ok=True)
                    self._writer = open_database(self.path, SCHEMA, create=True)
                except OSError as error:
                    raise self._refusal(error) from error
            return self._writer

    def _drop(self, failed: Database | None) -> None:
        """Have the next use open the file anew; ``failed`` closes when its last user is done."""
        if failed is self._reader:
            with self._reading_lock:
                self._reader = None if failed is self._reader else self._reader
        elif failed is self._writer:
            with self._writing_lock:
                self._writer = None if failed is self._writer else self._writer

    def _refusal(self, error: OSError) -> StorageError:
        reason = error.strerror or error
        return StorageError("storage.write", folder=self.root, reason=reason)
