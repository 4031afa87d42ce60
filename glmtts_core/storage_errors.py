"""What the system and SQLite say about folders and files, each as one sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from glmtts_core.errors import StorageError

_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)
BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)


@contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn what the system says inside into one sentence about ``folder``.

    Raises:
        StorageError: the disk is full or cannot be written, or the folder is gone.
    """
    try:
        yield
    except OSError as error:
        for each in (folder, *_folder_of(error)):
            if not each.is_dir():
                raise StorageError("storage.folder_gone", folder=each) from error
        reason = error.strerror or str(error)
        raise StorageError("storage.write", folder=folder, reason=reason) from error


def _folder_of(error: OSError) -> tuple[Path, ...]:
    """Return the folder of the file that was not found."""
    if not isinstance(error, FileNotFoundError) or not isinstance(error.filename, str):
        return ()
    return (Path(error.filename).parent,)


@contextmanager
def database_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says inside into one sentence about ``path``.

    Raises:
        StorageError: what is wrong with the file, or with the disk.
    """
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # a fault of ours, not of the disk
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if not path.parent.is_dir():
            raise StorageError("storage.folder_gone", folder=path.parent) from error
        # "no such table" in a file of a known version says that it was tampered with
        if code in _DAMAGED or code == sqlite3.SQLITE_ERROR:
            raise StorageError("database.damaged", path=path) from error
        if code in BUSY:
            raise StorageError("database.busy", path=path) from error
        raise StorageError("storage.write", folder=path.parent, reason=error) from error
