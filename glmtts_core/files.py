"""Writing files so that a crash at any moment leaves the whole file or none."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

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
