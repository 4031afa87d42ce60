"""What a kill would leave of a folder before each change that a process makes in it.

The process is stopped there, with all of its threads, which leaves on the disk what a kill leaves:
all that was written, and nothing of what would have come. So one process shows every moment. That a
process which is really killed leaves no more than that is tried at the last of them.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from urllib.parse import quote

from glmtts_core.cli.main import main
from tests.forked import forked
from tests.scripted_engine import CloningEngine
from tests.waiting import BOUND_S, wait_until

#: Audit events of the interpreter that change names on the disk.
_CHANGES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"})
#: Statements with which SQLite, of whose writing the interpreter tells nothing, changes a file;
#: what comes before the end of a transaction changes nothing on the disk.
_WRITING = ("COMMIT", "PRAGMA journal_mode", "PRAGMA wal_checkpoint")


def moments_of_death(
    folder: Path, copy: Path, act: Callable[..., object], *arguments: Any
) -> Iterator[Path]:
    """Do something; before each change of ``folder``, put what is there into ``copy``.

    Yields the copy, which is another one each time; the process is killed when nobody wants more.

    Args:
        folder: the one that changes.
        copy: where to put it; what is there is removed.
        act: importable; calls `stop_before_each_change` when the changes begin that are of
            interest.
        arguments: of ``act``, after ``folder``.
    """
    process = forked(act, folder, *arguments)
    try:
        while _stops(process):
            shutil.rmtree(copy, ignore_errors=True)
            if folder.exists():
                shutil.copytree(folder, copy)
            yield copy
            os.kill(process.pid, signal.SIGCONT)
    finally:
        process.kill()
        process.join(BOUND_S)


def changes_disk(event: str, arguments: tuple[object, ...], folder: str) -> bool:
    """Whether an audit event is about to change something under ``folder``."""
    if event == "open":
        path, _, flags = arguments
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        return bool(writes) and str(path).startswith(folder)
    if event in ("os.remove", "os.rmdir") and arguments[1] != -1:
        # a whole folder is removed by names inside of open folders
        return f"{Path(f'/proc/self/fd/{arguments[1]}').readlink()}".startswith(folder)
    return event in _CHANGES and any(str(each).startswith(folder) for each in arguments)


def stop_before_each_change(folder: Path) -> None:
    """Have this process stop before each change of what is in ``folder``."""

    def before_event(event: str, arguments: tuple[object, ...]) -> None:
        if changes_disk(event, arguments, f"{folder}"):
            _stop()

    def before_statement(statement: str) -> None:
        if statement.startswith(_WRITING):
            _stop()

    connect = sqlite3.connect

    def connect_traced(name: str, *more: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(name, *more, **options)
        if name.startswith(f"file:{quote(os.fsencode(folder))}/"):
            connection.set_trace_callback(before_statement)
        return connection

    sys.addaudithook(before_event)
    # the audit event of a new connection comes before it can be traced
    sqlite3.connect = connect_traced  # type: ignore[assignment]


def _stop() -> None:
    # sent to this very thread, which therefore does not get any further
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def run_batch(folder: Path, *arguments: str) -> None:
    """Run the command ``batch``."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ["GLMTTS_DEVICE"] = "cpu"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        stop_before_each_change(folder)
        sys.exit(main(["batch", *arguments], CloningEngine))


def _stops(process: ForkServerProcess) -> bool:
    """Wait until all threads of ``process`` stand still; False where it came to its end."""
    wait_until(lambda: process.exitcode is not None or _stopped(process.pid))
    assert process.exitcode in (None, 0)
    return process.exitcode is None


def _stopped(pid: int) -> bool:
    try:
        told = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/stat")]
    except (FileNotFoundError, ProcessLookupError):
        return False  # a thread has ended meanwhile
    # the state comes after the name, which may hold anything
    return {each.rpartition(")")[2].split()[0] for each in told} == {"T"}
