"""Waiting with a bound for what other threads and processes do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: Seconds after which something that takes milliseconds counts as never happening.
BOUND_S = 30.0


def wait_until(condition: Callable[[], object], bound_s: float = BOUND_S) -> None:
    """Return as soon as ``condition`` holds; fail when it does not within ``bound_s``."""
    give_up_s = time.monotonic() + bound_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < give_up_s, "the condition did not come true in time"
        pause.wait(0.002)
