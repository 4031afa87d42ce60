"""Processes forked from a server that has imported the program once.

A fork takes milliseconds where a start of Python with all imports takes seconds, and the process
can be killed like any other.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
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
_PRELOADED: Final = ("tests.batch.crash_child", "tests.batch.corrections")


def forked(target: Callable[..., object], *arguments: Any) -> ForkServerProcess:
    """Start a process that calls ``target``, which has to be importable."""
    sys.audit(FORKED)
    _CONTEXT.set_forkserver_preload(list(_PRELOADED))
    # the server looks for what it is to import from where it is started
    with chdir(ROOT):
        forkserver.ensure_running()
    process = _CONTEXT.Process(target=target, args=arguments)
    process.start()
    return process


def new_event() -> Event:
    """Return an event that can be handed to such a process."""
    return _CONTEXT.Event()
