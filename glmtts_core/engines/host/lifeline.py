"""The end of a process with the one that has started it, even while it can do nothing itself."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Final

#: Names the handle of a pipe whose other end the starting process holds.
VARIABLE: Final = "GLMTTS_LIFELINE"


def end_with_parent() -> None:
    """Have the kernel end this process as soon as the lifeline's other end is closed.

    By a signal of the pipe itself (Linux): no thread of this process has to run for it, so that a
    native library that never returns, or a stopped process, ends too. Elsewhere the end of the
    connection is what ends the process.
    """
    handle = os.environ.pop(VARIABLE, None)
    if handle is None:
        return
    try:
        from fcntl import F_GETFL, F_SETFL, F_SETOWN, F_SETSIG, fcntl
    except ImportError:
        return
    with suppress(OSError):  # a kernel without such signals
        fcntl(int(handle), F_SETOWN, os.getpid())
        fcntl(int(handle), F_SETSIG, signal.SIGKILL)
        fcntl(int(handle), F_SETFL, fcntl(int(handle), F_GETFL) | os.O_ASYNC)
