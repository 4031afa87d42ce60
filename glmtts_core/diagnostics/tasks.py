"""Tasks that a page starts by name and comes back to: a leak hunt, a self-check.

A service of the studio. Knows nothing about what the work is.
"""

from __future__ import annotations

import threading
from typing import Any, Final

from glmtts_core.studio.background import BackgroundTask, Work

#: Seconds that closing waits for each task.
_CLOSE_S: Final = 2.0


class Tasks:
    """Background tasks by name. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[str, BackgroundTask[Any]] = {}

    def find(self, name: str) -> BackgroundTask[Any] | None:
        """Return the task of this name; None where none was started."""
        with self._lock:
            return self._tasks.get(name)

    def start(self, name: str, work: Work[Any]) -> BackgroundTask[Any]:
        """Start ``work`` unless the task of this name is running; return the task."""
        with self._lock:
            task = self._tasks.setdefault(name, BackgroundTask(name))
        task.start(work)
        return task

    def close(self) -> None:
        """Cancel all tasks, and wait a moment for them."""
        with self._lock:
            tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        for task in tasks:
            task.close(_CLOSE_S)
