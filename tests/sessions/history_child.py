"""Processes that save and delete results, and are killed: ``python -m`` and a folder.

Process N works in FOLDER/N and is killed before its Nth change of that folder takes place. What
each has printed, the numbers of the results that it has saved, is put into FOLDER/N.given. It ends
with the first process that made all of its changes.
"""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any, TextIO

from glmtts_core.sessions.history import SessionHistory
from tests.sessions.histories import opened, save, write_earlier

#: Raised by the interpreter right before it renames, links or removes a file.
_CHANGES = ("os.rename", "os.link", "os.remove")
#: Statements that leave everything as it is.
_READS = ("SELECT", "PRAGMA")


def main() -> None:
    """Start one process after the other; forked, since importing takes a second."""
    for fatal in itertools.count(1):
        folder = Path(sys.argv[1])
        child = os.fork()
        if child == 0:
            try:
                _save_and_delete(folder, fatal)
                os._exit(0)
            finally:
                os._exit(1)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if ended == 0:
            return
        assert ended == -signal.SIGKILL


def _save_and_delete(folder: Path, fatal: int) -> None:
    """Save more results than are kept, in an earlier version's folder; delete, save again."""
    root = folder / str(fatal)
    write_earlier(root, 1, last=2)
    _be_killed_at(fatal)
    history = opened(root, max_results=2)
    with (folder / f"{fatal}.given").open("w") as given:
        for _ in range(3):
            _save(history, given)
        for newest in history.list().records:
            history.delete(newest.number)
        history.delete(_save(history, given))
        _save(history, given)


def _be_killed_at(fatal: int) -> None:
    """Have this process killed before its change of that number: of files, or by a statement."""
    changes = itertools.count(1)

    def count_change() -> None:
        if next(changes) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def count_statement(statement: str) -> None:
        if not statement.startswith(_READS):
            count_change()

    def watch(event: str, _: object) -> None:
        if event in _CHANGES:
            count_change()

    def connect(*arguments: Any, **more: Any) -> sqlite3.Connection:
        connection = unwatched(*arguments, **more)
        connection.set_trace_callback(count_statement)
        return connection

    sys.addaudithook(watch)
    unwatched, sqlite3.connect = sqlite3.connect, connect


def _save(history: SessionHistory, given: TextIO) -> int:
    number = save(history).number
    given.write(f"{number}\n")
    given.flush()
    return number


if __name__ == "__main__":
    main()
