"""Longer pieces of work that a page starts and polls: a leak hunt, a self-check.

Hangs on the studio as a service. Knows nothing about what the work is.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from glmtts_core.engines.base import CancelToken
from glmtts_core.errors import DiagnosticsError, GLMTTSError

#: Work gets the wish to stop, and tells how far it is (0 to 1).
Work = Callable[[CancelToken, Callable[[float], None]], Any]
#: Seconds that closing waits for a thread.
_CLOSE_S: Final = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task as it stands: ``result`` and ``error`` are None while it runs."""

    running: bool
    fraction: float
    result: Any
    error: GLMTTSError | None


class Task:
    """One piece of work in a thread of its own."""

    def __init__(self, name: str, work: Work) -> None:
        self._name = name
        self._work = work
        self._cancel = CancelToken()
        self._fraction = 0.0
        self._result: Any = None
        self._error: GLMTTSError | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def view(self) -> TaskView:
        """Return how far it is."""
        return TaskView(self._thread.is_alive(), self._fraction, self._result, self._error)

    def cancel(self) -> None:
        """Ask for the stop."""
        self._cancel.cancel()

    def wait(self, timeout_s: float) -> bool:
        """Block until it has ended; False when ``timeout_s`` ran out first."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._result = self._work(self._cancel, self._report)
        except GLMTTSError as error:
            self._error = error
        except Exception as error:  # noqa: BLE001
            # a thread has no caller: the page shows it
            _log.exception("%s failed", self._name)
            reason = f"{type(error).__name__}: {error}"
            self._error = DiagnosticsError("diagnostics.task_failed", reason=reason)

    def _report(self, fraction: float) -> None:
        self._fraction = fraction


class Tasks:
    """The newest task of each name. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[str, Task] = {}

    def find(self, name: str) -> Task | None:
        """Return the newest task of this name."""
        with self._lock:
            return self._tasks.get(name)

    def start(self, name: str, work: Work) -> Task:
        """Start ``work``; while one of the same name runs, that one is returned."""
        with self._lock:
            task = self._tasks.get(name)
            if task is None or not task.view().running:
                task = self._tasks[name] = Task(name, work)
            return task

    def close(self) -> None:
        """Cancel all, and wait a moment for them."""
        with self._lock:
            tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        for task in tasks:
            task.wait(_CLOSE_S)
