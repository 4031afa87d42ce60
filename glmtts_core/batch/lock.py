"""The lock of a run's folder: one process, and one place in it, carries on a run at a time.

The kernel lets go of it when the process dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from glmtts_core.errors import BatchError

#: Seconds to retry: `is_locked` briefly takes the lock itself.
_PATIENCE_S: Final = 0.5


class RunLock:
    """The lock, held from its making until `release`.

    Args:
        path: the file that carries it; made where there is none.

    Raises:
        BatchError: another one carries on the run.
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        give_up_s = time.monotonic() + _PATIENCE_S
        while not _take(self._handle):
            if time.monotonic() > give_up_s:
                os.close(self._handle)
                raise BatchError("batch.run.locked", name=path.parent.name)
            time.sleep(0.02)

    def release(self) -> None:
        """Let go."""
        os.close(self._handle)


def is_locked(path: Path) -> bool:
    """Whether someone carries on the run."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _take(handle)
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
