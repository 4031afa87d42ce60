"""What the studio keeps for each browser session, and which of them a browser has open."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from glmtts_core.byte_units import MIB
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.memory.advisor import SpokenFacts
from glmtts_core.memory.ledger import Ledger
from glmtts_core.sessions.history import SessionHistory
from glmtts_core.sessions.result_files import session_folder
from glmtts_core.sessions.saved_form import SavedForm
from glmtts_core.sessions.studio_database import StudioDatabase
from glmtts_core.settings import Settings
from glmtts_core.studio.jobs import Job

#: Seconds after which a silent holder has lost its session; an open page shows itself every second.
TAKEOVER_S: Final = 2.5
#: Syntheses that the advice looks back on.
FACTS_KEPT: Final = 16


@dataclass
class SessionEntry:
    """What the studio keeps for one browser session.

    Attributes:
        caches: bytes in memory, given back when the session closes.
        history: results on disk, which outlive the session.
        saved_form: what was typed and uploaded, on disk too.
        facts: what the advice is drawn from.
        job: the session's newest interactive job.
        leased: whether a browser has the session open.
        holder: who has it open; None for one that needs not show itself.
        seen_s: when the holder last showed itself (`time.monotonic`).
    """

    caches: SessionCaches
    history: SessionHistory
    saved_form: SavedForm
    facts: deque[SpokenFacts] = field(default_factory=lambda: deque(maxlen=FACTS_KEPT))
    job: Job | None = None
    leased: bool = False
    holder: object | None = None
    seen_s: float = 0.0

    @property
    def active_job(self) -> Job | None:
        """The job that is running or waiting."""
        return self.job if self.job is not None and not self.job.finished else None


class SessionRegistry:
    """All open sessions. Thread-safe."""

    def __init__(self, settings: Settings, ledger: Ledger, database: StudioDatabase) -> None:
        self._settings = settings
        self._ledger = ledger
        self._database = database
        self._lock = threading.Lock()
        self._sessions: dict[str, SessionEntry] = {}

    def entry(self, session_id: str) -> SessionEntry:
        """Return what is kept for a session, opening it when it is new."""
        with self._lock:
            return self._open(session_id)

    def lease(self, session_id: str, holder: object | None = None, *, force: bool = False) -> bool:
        """Open a session for one browser, or show that it is still there.

        False where another browser has it open. One that has not shown itself for `TAKEOVER_S` has
        lost its connection without a word, and the session goes to who asks.

        Args:
            session_id: the session.
            holder: who asks; None for one that keeps the lease without showing itself again.
            force: take it in any case; the other browser learns of it at its next request.
        """
        now_s = time.monotonic()
        with self._lock:
            entry = self._open(session_id)
            own = holder is not None and entry.holder is holder
            silent = entry.holder is not None and now_s - entry.seen_s > TAKEOVER_S
            if entry.leased and not (own or silent or force):
                return False
            entry.leased, entry.holder, entry.seen_s = True, holder, now_s
            return True

    def end_lease(self, session_id: str, holder: object | None = None) -> None:
        """The browser has gone; what is kept stays until `forget`.

        Nothing happens where the session has gone on to another holder meanwhile.
        """
        with self._lock:
            entry = self._sessions.get(session_id)
            if entry is not None and entry.holder is holder:
                entry.leased, entry.holder = False, None

    def closed(self, session_id: str) -> bool:
        """Whether something is kept for a session that no browser has open."""
        with self._lock:
            entry = self._sessions.get(session_id)
            return entry is not None and not entry.leased

    def closed_ids(self) -> list[str]:
        """Return the ids of all that is kept though no browser has it open."""
        with self._lock:
            return [each for each, entry in self._sessions.items() if not entry.leased]

    def known_ids(self) -> frozenset[str]:
        """Return the ids of all sessions of which something is kept."""
        with self._lock:
            return frozenset(self._sessions)

    def forget(self, session_id: str) -> SessionCaches | None:
        """Drop a closed session and return its caches, to be emptied; None if it is open again.

        While the session has a job, the entry stays, so that a reloaded page finds the job.
        """
        with self._lock:
            entry = self._sessions.get(session_id)
            if entry is None or entry.leased:
                return None
            if entry.active_job is None:
                del self._sessions[session_id]
            return entry.caches

    def idle_ids(self) -> list[str]:
        """Return the ids of the sessions without a job."""
        with self._lock:
            return [each for each, entry in self._sessions.items() if entry.active_job is None]

    def caches_of(self, session_ids: Iterable[str]) -> list[SessionCaches]:
        """Return the caches of those sessions that are still known."""
        with self._lock:
            return [self._sessions[each].caches for each in session_ids if each in self._sessions]

    def _open(self, session_id: str) -> SessionEntry:
        if session_id not in self._sessions:
            folder = session_folder(self._settings.output_dir, session_id)
            self._sessions[session_id] = SessionEntry(
                SessionCaches(session_id, self._ledger),
                SessionHistory(
                    self._database,
                    session_id,
                    max_results=self._settings.history_max_results,
                    max_bytes=self._settings.history_max_mib * MIB,
                ),
                SavedForm(folder),
            )
        return self._sessions[session_id]
