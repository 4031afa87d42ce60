"""Noting Ctrl+C and SIGTERM, so that a command can stop in order."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Note Ctrl+C and SIGTERM; cancelling in the handler itself could meet a lock of its thread."""
    noted: list[int] = []
    before = {
        each: signal.signal(each, lambda received, _: noted.append(received))
        for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield lambda: bool(noted)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
