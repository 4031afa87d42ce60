"""The names of a run's files, and its lock."""

from __future__ import annotations

import fcntl
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from glmtts_core.errors import BatchError
from glmtts_core.files import discard
from glmtts_core.storage_errors import storage_errors

DATABASE_FILE: Final = "run.db"
LOCK_FILE: Final = "lock"
MANIFEST_FILE: Final = "manifest.jsonl"
REPORT_FILE: Final = "report.html"
#: Name of the folder of the sounds inside the run's.
AUDIO_FOLDER: Final = "audio"
REFERENCES_FOLDER: Final = "references"
#: Exists while a run's folder is being created; the other files there belong to that run.
MAKING_FILE: Final = "making"
#: Name of a run's folder that is being deleted; see `doomed_path`.
DOOMED: Final = re.compile(r"\.deleted-[0-9a-f]{16}")
_VERSION_PREFIX: Final = "input-"
_VERSION: Final = re.compile(rf"{_VERSION_PREFIX}[0-9]+")
#: Lies in the folders of the earlier layout, of which nothing is removed.
EARLIER_LINES_FILE: Final = "lines.jsonl"
#: Seconds to retry: who looks whether a run is locked takes the lock for a moment.
_PATIENCE_S: Final = 0.5


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's folder while inside.

    One process, and one place in it, carries on a run at a time. The kernel lets go of the lock
    when the process dies, however it dies.

    Raises:
        BatchError: another one carries on the run.
        StorageError: the folder is gone or cannot be written.
    """
    lock = FileLock(folder / LOCK_FILE, _PATIENCE_S, thread_local=False, poll_interval=0.02)
    with storage_errors(folder):
        # which the lock would make anew
        folder.stat()
        try:
            lock.acquire()
        except Timeout as error:
            raise BatchError("batch.run.locked", name=folder.name) from error
    try:
        yield
    finally:
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether someone carries on the run in ``folder``."""
    try:
        with (folder / LOCK_FILE).open("rb") as file:
            # shared: those who look are not in each other's way
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except OSError:
        # who cannot take it cannot carry on the run either
        return False


def doomed_path(folder: Path) -> Path:
    """Return what to call a run's folder while it is deleted: a `DOOMED` name, never the same."""
    return folder.with_name(f".deleted-{secrets.token_hex(8)}")


def input_folder(folder: Path, version: int) -> Path:
    """Return where the files of a version of the input lie: the first in the run's own folder."""
    return folder / f"{_VERSION_PREFIX}{version}" if version else folder


def next_input(folder: Path, held: int) -> int:
    """Return the version of a corrected input after the one that holds: none that lies there."""
    numbers = (int(path.name.removeprefix(_VERSION_PREFIX)) for path in corrected_inputs(folder))
    return max(held, *numbers, 0) + 1


def corrected_inputs(folder: Path) -> list[Path]:
    """Return the folders of all corrected inputs, whether they hold or not."""
    found = folder.glob(f"{_VERSION_PREFIX}*")
    return [path for path in found if _VERSION.fullmatch(path.name) and path.is_dir()]


def sweep_inputs(folder: Path, version: int) -> None:
    """Remove all corrected inputs but the one that holds, uncommitted ones included.

    The first input stays: its files may have been in the folder before the run.

    Raises:
        OSError: the folder cannot be changed.
    """
    holds = input_folder(folder, version)
    for path in corrected_inputs(folder):
        if path != holds and not (path / EARLIER_LINES_FILE).exists():
            discard(path)
