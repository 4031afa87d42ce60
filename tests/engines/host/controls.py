"""A job without a studio: notes what is reported, and does tasks at safe points."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from glmtts_core.engines.base import CancelToken, Progress
from tests.engines.host.remote_scripted import WAITS
from tests.waiting import BOUND_S, wait_until


class NotingControl:
    """The `JobControl` of a test.

    Attributes:
        reports: what was reported so far.
        safe_points: how many there were.
        tasks: done at the next safe point, in order.
    """

    def __init__(self) -> None:
        self.cancel = CancelToken()
        self.reports: list[Progress] = []
        self.safe_points = 0
        self.tasks: list[Callable[[], object]] = []

    def report(self, progress: Progress) -> None:
        self.reports.append(progress)

    def safe_point(self) -> None:
        self.cancel.raise_if_cancelled()
        self.safe_points += 1
        while self.tasks:
            self.tasks.pop(0)()
        self.cancel.raise_if_cancelled()


@contextmanager
def once_it_waits(folder: Path, then: Callable[[], object]) -> Iterator[None]:
    """While inside, call ``then`` in another thread as soon as the engine waits."""
    mark = folder / WAITS
    mark.unlink(missing_ok=True)

    def wait() -> None:
        wait_until(mark.exists)
        then()

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        thread.join(BOUND_S)
        assert not thread.is_alive()
