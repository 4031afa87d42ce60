"""Processes that save and delete results, and are killed: ``python -m`` and a folder.

Process N works in FOLDER/N and is killed before its Nth change of that folder takes place. What
each has printed, the numbers of the results that it has saved, is put into FOLDER/N.given. It ends
with the first process that made all of its changes.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

from glmtts_core.sessions.history import SessionHistory
from glmtts_core.sessions.result_files import session_folder
from tests.speaking import ANNA, request, result

#: Raised by the interpreter right before it renames or removes a file.
_CHANGES = ("os.rename", "os.remove")


def main() -> None:
    """Start one process after the other; forked, since importing takes a second."""
    for fatal in itertools.count(1):
        folder = Path(sys.argv[1])
        child = os.fork()
        if child == 0:
            _save_and_delete(folder, fatal)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            return


def _save_and_delete(folder: Path, fatal: int) -> None:
    """Save more results than are kept, delete the newest, save once more."""
    changes = itertools.count(1)

    def kill_at_change(event: str, arguments: tuple[object, ...]) -> None:
        if event in _CHANGES and next(changes) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(kill_at_change)
    history = SessionHistory(session_folder(folder / str(fatal), ANNA), max_results=2)
    with (folder / f"{fatal}.given").open("w") as given:
        for _ in range(3):
            _save(history, given)
        for newest in history.list().records:
            history.delete(newest.number)
        history.delete(_save(history, given))
        _save(history, given)


def _save(history: SessionHistory, given) -> int:
    number = history.save(request(), result(), "Scripted").number
    given.write(f"{number}\n")
    given.flush()
    return number


if __name__ == "__main__":
    main()
