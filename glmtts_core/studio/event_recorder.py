"""Writes down what the worker does: loads, cleanups, evictions, failures.

Knows nothing about tables. What cannot be written is logged: no job fails by it.
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
_log = logging.getLogger(__name__)


@dataclass
class _Unpaid:
    """A cleanup after which nothing was spoken yet.

    Attributes:
        id: of its row.
        session: whose next synthesis pays for it; None where anybody's does.
        load_s: seconds of loading since.
    """

    id: int
    session: str | None
    load_s: float = 0.0


class EventRecorder:
    """Writes events to the log; on the worker's thread, but for `note`.

    Args:
        log: takes the events.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._unpaid: deque[_Unpaid] = deque(maxlen=_MOST_UNPAID)
        self._later: deque[Callable[[], object]] = deque()

    def note(self, event: Event) -> int | None:
        """Write an event, from any thread; return its id, or None where that failed."""
        try:
            return self._log.add(event)
        except Exception as error:  # noqa: BLE001
            # a line of the log is worth no job, whatever is wrong with it
            _log.warning("cannot write down %r: %s", event, error)
            return None

    def loaded(self, session_id: str, engine: str, seconds: float, memory: MemoryCost) -> None:
        """An engine was loaded for a session's job."""
        for each in self._unpaid:
            each.load_s += seconds
        self.note(Load(time.time(), session_id, engine, seconds, memory))

    def cleaned(self, report: CleanupReport, asked_by: AskedBy, session_id: str | None) -> None:
        """A cleanup was done that somebody had asked for."""
        cleanup_id = self.note(
            Cleanup(
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
        )
        if cleanup_id is not None:
            # a trim takes from one session only
            payer = session_id if report.level is CleanupLevel.TRIM else None
            self._unpaid.append(_Unpaid(cleanup_id, payer))

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
        self.note(
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
        """A job fails by ``error``; written with `flush`."""
        view = job.view()
        failure = Failure(
            at_s=time.time(),
            session=job.session_id,
            priority=job.priority,
            engine=job.engine,
            seconds=view.elapsed_s,
            message=error.message.plain(),
            memory=view.memory,
        )
        self._later.append(lambda: self.note(failure))

    def unpaid(self) -> tuple[_Unpaid, ...]:
        """Return the cleanups for which a synthesis that begins now can pay."""
        return tuple(self._unpaid)

    def spoken(self, session_id: str, result: SynthesisResult, before: Sequence[_Unpaid]) -> None:
        """A session has spoken: the cleanups ``before`` learn with `flush` what that has paid."""
        for each in before:
            if each in self._unpaid and each.session in (None, session_id):
                self._unpaid.remove(each)
                self._later.append(partial(self._complete, each, result))

    def flush(self) -> None:
        """Write what could wait until nobody waits for the job any more."""
        while self._later:
            self._later.popleft()()

    def _complete(self, cleanup: _Unpaid, result: SynthesisResult) -> None:
        try:
            self._log.complete_cleanup(
                cleanup.id,
                load_s=cleanup.load_s,
                seconds=result.seconds,
                growth_bytes=result.memory.growth_bytes,
            )
        except Exception as error:  # noqa: BLE001
            _log.warning("cannot complete cleanup %d: %s", cleanup.id, error)
