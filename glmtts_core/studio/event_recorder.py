"""Writes down what the worker does: loads, cleanups, evictions, failures.

Knows nothing about tables. What cannot be written is logged: no job fails by it. Where another
program holds the database, events wait for a better moment, and no job does.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
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
#: Seconds for which a database that was busy is left alone.
_PAUSE_S: Final = 10.0
_BUSY: Final = "database.busy"
_log = logging.getLogger(__name__)


@dataclass(eq=False)
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
    """Writes events to the log; on the worker's thread, but for `note`.

    Args:
        log: takes the events.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._unpaid: deque[_Unpaid] = deque(maxlen=_MOST_UNPAID)
        self._later: deque[Callable[[], object]] = deque(maxlen=_MOST_KEPT)
        self._again_s = 0.0

    def note(self, event: Event) -> None:
        """Write an event, from any thread."""
        write = partial(self._log.add, event)
        if _try_to(write) == _BUSY:
            self._later.append(write)

    def loaded(self, session_id: str, engine: str, seconds: float, memory: MemoryCost) -> None:
        """An engine was loaded for a session's job."""
        for each in self._unpaid:
            each.load_s += seconds
        self._write(partial(self._log.add, Load(time.time(), session_id, engine, seconds, memory)))

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
        self._write(partial(self._add_cleanup, cleanup, unpaid))

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
        eviction = Eviction(
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
        self._write(partial(self._log.add, eviction))

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
        self._later.append(partial(self._log.add, failure))

    def unpaid(self) -> tuple[_Unpaid, ...]:
        """Return the cleanups for which a synthesis that begins now can pay."""
        return tuple(self._unpaid)

    def spoken(self, session_id: str, result: SynthesisResult, before: Sequence[_Unpaid]) -> None:
        """A session has spoken: its cleanups ``before`` learn with `flush` what that has paid."""
        for each in before:
            if each in self._unpaid and each.session in (None, session_id):
                self._unpaid.remove(each)
                self._later.append(partial(self._complete, each, result))

    @property
    def waiting(self) -> bool:
        """Whether there is something to flush, and no reason to wait with that."""
        return bool(self._later) and time.monotonic() >= self._again_s

    def flush(self) -> None:
        """Write what was kept; where another program holds the database, the rest waits."""
        while self._later:
            write = self._later[0]
            if _try_to(write) == _BUSY:
                self._again_s = time.monotonic() + _PAUSE_S
                return
            with suppress(ValueError):  # forgotten meanwhile, for newer ones
                self._later.remove(write)

    def _write(self, write: Callable[[], object]) -> None:
        self._later.append(write)
        if self.waiting:
            self.flush()

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
