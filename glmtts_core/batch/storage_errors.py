"""What the system says about a run's folder: its errors as one sentence, and whether it changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from glmtts_core.errors import StorageError

#: Sizes and times of change of some files and folders; None for what is not there.
Stamp = tuple[tuple[int, int] | None, ...]


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
                raise StorageError("batch.run.folder_gone", folder=each) from error
        reason = error.strerror or str(error)
        raise StorageError("storage.write", folder=folder, reason=reason) from error


def _folder_of(error: OSError) -> tuple[Path, ...]:
    """Return the folder of the file that was not found."""
    if not isinstance(error, FileNotFoundError) or not isinstance(error.filename, str):
        return ()
    return (Path(error.filename).parent,)


def stamp_of(paths: Iterable[Path]) -> Stamp:
    """Return what changes as soon as a file is written or a folder's names change.

    Raises:
        OSError: one is there and cannot be looked at.
    """
    return tuple(_stamp(path) for path in paths)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_size, status.st_mtime_ns
