"""Processes forked from a server that has imported the program and its libraries once.

A fork takes milliseconds where a start of Python with all imports takes seconds, and the process
can be killed like any other. What a test shows about the start itself needs a start.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
#: Audit event of such a start: the interpreter tells of none.
FORKED: Final = "tests.forked"
_CONTEXT: Final = multiprocessing.get_context("forkserver")
_PRELOADED: Final = "tests.preloaded"


def forked(target: Callable[..., object], *arguments: Any) -> ForkServerProcess:
    """Start a process that calls ``target``, which has to be importable."""
    sys.audit(FORKED)
    _CONTEXT.set_forkserver_preload([_PRELOADED])
    # the server looks for what it is to import from where it is started
    with chdir(ROOT):
        forkserver.ensure_running()
    process = _CONTEXT.Process(target=target, args=arguments)
    process.start()
    return process


def new_event() -> Event:
    """Return an event that can be handed to such a process."""
    return _CONTEXT.Event()


def run_python(
    *command: str, environment: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run what ``python COMMAND`` runs, in a forked process, from the program's own folder.

    Args:
        command: ``-m`` and a module, ``-c`` and a program, or a script; with arguments.
        environment: all that it sees. What is read at Python's start has no effect.
        timeout_s: it fails when it takes longer.
    """
    with tempfile.TemporaryDirectory() as scratch:
        told = Path(scratch, "out"), Path(scratch, "err")
        process = forked(_python, command, dict(environment), told)
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(list(command), timeout_s)
        out, err = (file.read_text(encoding="utf-8") for file in told)
        return subprocess.CompletedProcess(list(command), process.exitcode, out, err)


def _python(
    command: Sequence[str], environment: Mapping[str, str], told: tuple[Path, Path]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    for descriptor, file in ((1, told[0]), (2, told[1])):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), descriptor)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8") for number in (1, 2))
    try:
        match command:
            case ["-m", name, *rest]:
                sys.argv = [name, *rest]
                runpy.run_module(name, run_name="__main__", alter_sys=True)
            case ["-c", program]:
                sys.argv = ["-c"]
                exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})
            case [script, *rest]:
                sys.argv = [script, *rest]
                runpy.run_path(script, run_name="__main__")
    finally:
        # multiprocessing ends a process without them
        atexit._run_exitfuncs()
