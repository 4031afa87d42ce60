"""Ending in order on the first SIGINT, SIGTERM or SIGHUP; in time, whatever is under way.

A second SIGINT or SIGTERM ends the process at once, and so does a work that has not ended when the
time is up: what is on the disk is whole at every moment. SIGHUP, that a terminal was closed, often
comes several times over, and counts once. Brings nothing heavy.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

#: Exit code of what was stopped in order, whichever signal asked for it.
STOPPED: Final = 130
#: Seconds for ending in order; users are promised 5 in all.
GRACE_S: Final = 4.5
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_signals(on_first: Callable[[int], None]) -> Iterator[None]:
    """While inside, call ``on_first`` with the first signal that asks for the end.

    It is called in the main thread amid whatever is done there. A signal that was ignored before,
    as ``nohup`` does with SIGHUP, stays ignored. To be entered in the main thread.
    """
    noted: list[int] = []
    terminals = [handle for handle in (1, 2) if os.isatty(handle)]
    alarm = signal.getsignal(signal.SIGALRM)
    timer = (0.0, 0.0)

    def handle(received: int, _: FrameType | None) -> None:
        nonlocal timer
        if received == signal.SIGHUP:
            _leave(terminals)
        if noted:
            if received != signal.SIGHUP:
                os._exit(128 + received)
            return
        noted.append(received)
        signal.signal(signal.SIGALRM, lambda *_: os._exit(128 + received))
        timer = signal.setitimer(signal.ITIMER_REAL, GRACE_S)
        on_first(received)

    before = {
        each: signal.signal(each, handle)
        for each in _SIGNALS
        if signal.getsignal(each) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        if noted:
            signal.setitimer(signal.ITIMER_REAL, *timer)
            signal.signal(signal.SIGALRM, alarm)


def die_by_signals() -> Callable[[], None]:
    """Let every signal end the process at once, while there is nothing to put in order.

    For what takes seconds and cannot be stopped in between, such as importing. What is ignored
    stays so. Returns what puts the handlers back.
    """
    before = {each: signal.getsignal(each) for each in _SIGNALS}
    for each, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(each, signal.SIG_DFL)

    def put_back() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    return put_back


def _leave(terminals: list[int]) -> None:
    """Have nothing written any more to terminals that are closed: that would be an error."""
    for handle in terminals:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, handle)
        os.close(nowhere)
