"""Writing files so that a crash leaves the whole file or none, and clearing old folders."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)
#: What a process that died while writing leaves behind.
PARTIAL_PATTERN: Final = ".????????.part"


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` to a temporary name, flush it to the disk and rename it to ``path``.

    The folder is made where there is none, and holds the new name even after a power cut.

    Raises:
        OSError: the folder cannot be written; nothing of ``data`` stays behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_into(path, data)


def write_into(path: Path, data: bytes) -> None:
    """Like `write_whole`, into a folder that must be there: one that was removed is not made anew.

    Raises:
        OSError: the folder is gone or cannot be written; nothing of ``data`` stays behind.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Have the disk hold the names in ``folder`` as they are now.

    Raises:
        OSError: the folder is gone, or the disk fails.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        # some network and FUSE file systems cannot flush a folder, only files
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def discard(path: Path) -> None:
    """Remove a file, a link or a folder with all it holds; what is not there is ignored.

    Raises:
        OSError: it cannot be removed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def clear_old_folders(folders: Iterable[Path], max_age_days: float) -> int:
    """Remove those in which nothing was added for ``max_age_days``; return how many.

    One that cannot be removed is logged.
    """
    oldest_s = time.time() - max_age_days * 86_400
    cleared = 0
    for folder in folders:
        try:
            if folder.is_dir() and folder.stat().st_mtime < oldest_s:
                shutil.rmtree(folder)
                cleared += 1
        except OSError as error:
            _log.warning("cannot clear the old folder %s: %s", folder, error)
    return cleared
