"""Writing files so that a crash leaves the whole file or none, and clearing old folders."""

from __future__ import annotations

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

    Raises:
        OSError: the folder cannot be written; nothing of ``data`` stays behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
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
