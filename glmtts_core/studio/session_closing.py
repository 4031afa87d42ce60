"""What sessions that have ended leave: caches in memory, and after days their files."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from glmtts_core.sessions.registry import SessionRegistry
from glmtts_core.sessions.result_files import clear_old_sessions
from glmtts_core.sessions.studio_database import StudioDatabase
from glmtts_core.settings import Settings
from glmtts_core.studio.leftovers import sweep_leftovers
from glmtts_core.studio.worker import Worker, WorkerTask

#: Seconds between two looks for old session folders.
_CLEAR_EVERY_S: Final = 3600.0


class SessionClosing:
    """Gives back what closed sessions have kept. Thread-safe.

    Args:
        settings: say how long files are kept.
        database: of the output folder.
        sessions: those that are known.
        worker: on whose thread caches are dropped.
        give_back: returns the memory of what a session has kept in engines, and what became free.
    """

    def __init__(
        self,
        settings: Settings,
        database: StudioDatabase,
        sessions: SessionRegistry,
        worker: Worker,
        give_back: Callable[[str], object],
    ) -> None:
        self._settings = settings
        self._database = database
        self._sessions = sessions
        self._worker = worker
        self._give_back = give_back
        self._cleared_s: float | None = None

    def end_lease(self, session_id: str, holder: object | None) -> None:
        """End a holder's lease; returns at once, the worker clears at a safe point."""
        self._sessions.end_lease(session_id, holder)
        # all of them: a script that was still running may have opened a closed session once more
        for each in self._sessions.closed_ids():
            self.forget_if_closed(each)

    def forget_if_closed(self, session_id: str) -> None:
        """Have the caches of a session dropped that nobody holds any more."""
        if self._sessions.closed(session_id):
            self._worker.send(WorkerTask(lambda: self._forget(session_id), within_jobs=True))

    def _forget(self, session_id: str) -> None:
        caches = self._sessions.forget(session_id)
        if caches is not None:
            caches.clear()
            self._give_back(session_id)
        self.clear_old()

    def clear_old(self) -> None:
        """Remove old sessions and leftovers, the first time and then at most once an hour."""
        now_s = time.monotonic()
        if self._cleared_s is not None and now_s - self._cleared_s < _CLEAR_EVERY_S:
            return
        self._cleared_s = now_s
        settings = self._settings
        known = self._sessions.known_ids()
        clear_old_sessions(self._database, settings.history_max_age_days, known)
        sweep_leftovers(settings.output_dir, settings.cache_dir)
