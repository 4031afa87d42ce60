"""How a command learns that it is to stop: noted for it to look at, or raised amid what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from glmtts_core.ending import ending_signals


class Stopped(BaseException):
    """The command is to stop; no error, and nothing that handles errors is to take it for one."""


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Note Ctrl+C, SIGTERM and a closed terminal; return what tells whether one has come.

    Cancelling in the handler itself could meet a lock of its thread.
    """
    noted: list[int] = []
    with ending_signals(noted.append):
        yield lambda: bool(noted)


@contextmanager
def raised_stop_requests() -> Iterator[None]:
    """Raise `Stopped` inside on Ctrl+C, SIGTERM and a closed terminal."""

    def stop(_: int) -> None:
        raise Stopped

    with ending_signals(stop):
        yield
