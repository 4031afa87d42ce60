"""Writes down what the worker does: loads, cleanups, evictions, failures.

Knows nothing about tables. What cannot be written is logged: no job fails by it, or waits for it.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from glmtts_core.engines.base import SynthesisResult
from glmtts_core.errors import GLMTTSError
from glmtts_core.memory.cleanup import CleanupLevel, CleanupReport
from glmtts_core.memory.cost import MemoryCost
from glmtts_core.sessions.event_log import Event, EventLog
from glmtts_core.sessions.events import AskedBy, Cleanup, Eviction, EvictionReason, Failure, Load
from glmtts_core.studio.jobs import Job

#: Cleanups that wait for a synthesis; who asks for more of them forgets the oldest.
_MOST_UNPAID: Final = 100
#: Events that wait for the database; the oldest are forgotten.
_MOST_KEPT: Final = 1_000
_BUSY: Final = "database.busy"
_log = logging.getLogger(__name__)


@dataclass
class _Unpaid:
    """A cleanup after which nothing was spoken yet.

    Attributes:
        id: of its row; None where that is not written (yet).
        session: whose next synthesis pays for it; None where anybody's does.
        load_s: seconds of loading since.
    """

    session: str | None
    id: int | None = None
    load_s: float = 0.0


class EventRecorder:
    """Keeps events until `flush` writes them to the log; on the worker's thread, but for `note`.

    Args:
        log: takes the events.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._unpaid: deque[_Unpaid] = deque(maxlen=_MOST_UNPAID)
        self._later: deque[Callable[[], object]] = deque(maxlen=_MOST_KEPT)

    def note(self, event: Event) -> None:
        """Write an event at once, from any thread."""
        _try_to(partial(self._log.add, event))

    def loaded(self, session_id: str, engine: str, seconds: float, memory: MemoryCost) -> None:
        """An engine was loaded for a session's job."""
        for each in self._unpaid:
            each.load_s += seconds
        self._keep(Load(time.time(), session_id, engine, seconds, memory))

    def cleaned(self, report: CleanupReport, asked_by: AskedBy, session_id: str | None) -> None:
        """A cleanup was done that somebody had asked for."""
        cleanup = Cleanup(
            at_s=report.wall_time_s,
            session=session_id,
            asked_by=asked_by,
            level=report.level,
            seconds=report.seconds,
            line=report.line,
            before_bytes=report.before_bytes,
            after_bytes=report.after_bytes,
            promised_bytes=report.promised.bytes,
            promise_exact=report.promised.exact,
            regained_bytes=report.regained_bytes,
            by_layer=report.by_layer,
            next_cost=report.next_cost,
        )
        # a trim takes from one session only
        unpaid = _Unpaid(session_id if report.level is CleanupLevel.TRIM else None)
        self._unpaid.append(unpaid)
        self._later.append(partial(self._add_cleanup, cleanup, unpaid))

    def evicted(
        self,
        reason: EvictionReason,
        report: CleanupReport,
        *,
        needed_by: str,
        session_id: str | None = None,
        engines: Sequence[str] = (),
        caches_of: Sequence[str] = (),
    ) -> None:
        """Engines or caches made room without anybody's wish."""
        self._keep(
            Eviction(
                at_s=report.wall_time_s,
                reason=reason,
                needed_by=needed_by,
                session=session_id,
                engines=tuple(engines),
                caches_of=tuple(caches_of),
                seconds=report.seconds,
                line=report.line,
                before_bytes=report.before_bytes,
                after_bytes=report.after_bytes,
                regained_bytes=report.regained_bytes,
                by_layer=report.by_layer,
            )
        )

    def failed(self, job: Job, error: GLMTTSError) -> None:
        """A job fails by ``error``."""
        view = job.view()
        self._keep(
            Failure(
                at_s=time.time(),
                session=job.session_id,
                priority=job.priority,
                engine=job.engine,
                seconds=view.elapsed_s,
                message=error.message.plain(),
                memory=view.memory,
            )
        )

    def unpaid(self) -> tuple[_Unpaid, ...]:
        """Return the cleanups for which a synthesis that begins now can pay."""
        return tuple(self._unpaid)

    def spoken(self, session_id: str, result: SynthesisResult, before: Sequence[_Unpaid]) -> None:
        """A session has spoken, and has paid for those of the cleanups ``before`` that are its."""
        for each in before:
            if each in self._unpaid and each.session in (None, session_id):
                self._unpaid.remove(each)
                self._later.append(partial(self._complete, each, result))

    def flush(self) -> None:
        """Write what was kept; where another program holds the database, the rest waits."""
        while self._later:
            if _try_to(self._later[0]) == _BUSY:
                return
            self._later.popleft()

    def _keep(self, event: Event) -> None:
        self._later.append(partial(self._log.add, event))

    def _add_cleanup(self, cleanup: Cleanup, unpaid: _Unpaid) -> None:
        unpaid.id = self._log.add(cleanup)

    def _complete(self, cleanup: _Unpaid, result: SynthesisResult) -> None:
        if cleanup.id is not None:
            self._log.complete_cleanup(
                cleanup.id,
                load_s=cleanup.load_s,
                seconds=result.seconds,
                growth_bytes=result.memory.growth_bytes,
            )


def _try_to(write: Callable[[], object]) -> str | None:
    """Write something down; return the key of the sentence why that was refused, if it was."""
    try:
        write()
    except GLMTTSError as error:
        _log.warning("cannot write down what happened: %s", error)
        return error.message.key
    except Exception:  # noqa: BLE001
        # a line of the log is worth no job, whatever is wrong with it
        _log.exception("cannot write down what happened")
    return None
