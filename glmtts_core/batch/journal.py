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
from typing import Any, Final, Self

#: Enough for the last entry, which carries counts only.
_TAIL_BYTES: Final = 4096

Entry = dict[str, Any]


class Journal:
    """The journal opened for adding; one process at a time, who sees to that holds the run's lock.

    Args:
        path: the file; made where there is none.
    """

    def __init__(self, path: Path) -> None:
        _cut_torn_end(path)
        self._file = path.open("ab")

    def add(self, **entry: object) -> float:
        """Write one entry through to the disk; return the time written into it (Unix, seconds).

        Raises:
            OSError: the disk is full or cannot be written; the entry counts as not written.
        """
        at_s = round(time.time(), 3)
        line = json.dumps({"at": at_s, **entry}, ensure_ascii=False)
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        size_bytes = os.fstat(self._file.fileno()).st_size
        try:
            # unbuffered: what fails must not be written by a later flush
            written = os.write(self._file.fileno(), data)
            if written < len(data):
                os.write(self._file.fileno(), data[written:])
            os.fsync(self._file.fileno())
        except OSError:
            os.ftruncate(self._file.fileno(), size_bytes)
            raise
        return at_s

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


def read_journal(path: Path) -> Iterator[Entry]:
    """Give the entries in the order in which they were written; no file holds none.

    What is no entry is passed over: a torn last line, or one that a dying disk has damaged.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            entry = _entry(line)
            if entry is not None:
                yield entry


def last_entry(path: Path) -> Entry | None:
    """Return the last whole entry without reading the file from its start.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(max(0, size_bytes - _TAIL_BYTES))
        for line in reversed(file.read().splitlines(keepends=True)):
            entry = _entry(line)
            if entry is not None:
                return entry
    return None


def _entry(line: bytes) -> Entry | None:
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


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
