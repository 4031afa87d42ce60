"""The end of a process with the one that has started it, even while it can do nothing itself."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from typing import Final

#: Names the handle of a pipe whose other end the starting process holds.
VARIABLE: Final = "GLMTTS_LIFELINE"
#: Exit code where the other side has gone.
ALONE: Final = 3


def end_with_parent() -> None:
    """Have the kernel end this process as soon as the lifeline's other end is closed.

    By a signal of the pipe itself (Linux): no thread of this process has to run for it, so that a
    native library that never returns, or a stopped process, ends too. Elsewhere the end of the
    connection is what ends the process.
    """
    told = os.environ.pop(VARIABLE, None)
    if told is None:
        return
    handle = int(told)
    os.set_inheritable(handle, False)
    with suppress(ImportError, OSError):  # a system, or a kernel, without such signals
        from fcntl import F_GETFL, F_SETFL, F_SETOWN, F_SETSIG, fcntl

        fcntl(handle, F_SETOWN, os.getpid())
        fcntl(handle, F_SETSIG, signal.SIGKILL)
        fcntl(handle, F_SETFL, fcntl(handle, F_GETFL) | os.O_ASYNC)
    if _closed(handle):  # before there was a signal for it
        os._exit(ALONE)


def _closed(handle: int) -> bool:
    look = select.poll()
    look.register(handle, select.POLLIN)
    return bool(look.poll(0))
