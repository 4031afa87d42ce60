"""The journal of a run: one JSON line a change of state, on the disk before anyone relies on it.

Only ever added to. A process that dies while writing leaves a torn last line, which counts as not
written. Knows nothing about what the changes mean.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from glmtts_core.errors import StorageError
from glmtts_core.files import flush_folder, open_regular

#: Read at a time from the end; the last entry, which carries counts only, mostly fits in.
_TAIL_BYTES: Final = 4096


class Journal:
    """The journal opened for adding; one process at a time, who sees to that holds the run's lock.

    Args:
        path: the file; made where there is none.
    """

    def __init__(self, path: Path) -> None:
        _cut_torn_end(path)
        self._path = path
        self._file = path.open("ab")
        self._size_bytes = os.fstat(self._file.fileno()).st_size
        flush_folder(path.parent)

    def add(self, **entry: object) -> float:
        """Write one entry through to the disk; return the time written into it (Unix, seconds).

        Raises:
            OSError: the disk is full or cannot be written; the entry counts as not written.
            StorageError: someone has removed or changed the journal meanwhile; likewise.
        """
        at_s = round(time.time(), 3)
        line = json.dumps({"at": at_s, **entry}, ensure_ascii=False)
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        self._refuse_if_touched()
        try:
            # unbuffered: what fails must not be written by a later flush
            written = os.write(self._file.fileno(), data)
            if written < len(data):
                os.write(self._file.fileno(), data[written:])
            os.fsync(self._file.fileno())
        except OSError:
            os.ftruncate(self._file.fileno(), self._size_bytes)
            raise
        self._size_bytes += len(data)
        return at_s

    def _refuse_if_touched(self) -> None:
        """Raise if the journal was deleted, or another program wrote to it."""
        now = os.fstat(self._file.fileno())
        if not self._path.parent.is_dir():
            raise StorageError("batch.run.folder_gone", folder=self._path.parent)
        if now.st_nlink == 0 or now.st_size != self._size_bytes:
            raise StorageError("batch.run.journal_changed", path=self._path)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def journal_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Give the whole lines with their numbers, from 1, in the order in which they were written.

    A missing file has no lines; a torn last line counts as not written.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        file = open_regular(path)
    except FileNotFoundError:
        return
    with file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                yield number, line


def last_journal_line(path: Path) -> bytes | None:
    """Return the last whole line without reading the file from its start; None where there is none.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        file = open_regular(path)
    except FileNotFoundError:
        return None
    with file:
        start = file.seek(0, os.SEEK_END)
        tail = b""
        while start > 0 and tail.count(b"\n") < 2:
            step = min(start, _TAIL_BYTES)
            start -= step
            file.seek(start)
            tail = file.read(step) + tail
    whole = tail[: tail.rfind(b"\n") + 1].splitlines(keepends=True)
    return whole[-1] if whole else None


def _cut_torn_end(path: Path) -> None:
    """Cut off a torn last line, so that the next entry does not join it."""
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        return
    with file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _TAIL_BYTES)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                file.truncate(start + newline + 1)
                return
            end = start
        file.truncate(0)
