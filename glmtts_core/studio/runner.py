"""Running one job on the engine: load where needed, speak, measure, keep the result.

Everything in here happens on the worker thread. Knows nothing about queues.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from glmtts_core.engines.base import CancelToken, Engine, Progress, Stage, SynthesisResult
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.engines.host.base import EngineHost
from glmtts_core.errors import (
    EngineError,
    GLMTTSError,
    OutOfMemoryError,
    ProcessOutOfMemoryError,
    SynthesisCancelled,
)
from glmtts_core.memory.account import MemoryAccount
from glmtts_core.memory.advisor import SpokenFacts
from glmtts_core.memory.cleanup import CleanupLevel, settle_garbage
from glmtts_core.memory.cost import CostMeter
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.memory.monitor import EventKind
from glmtts_core.sessions.events import EvictionReason
from glmtts_core.sessions.registry import SessionRegistry
from glmtts_core.sessions.result_record import ResultRecord
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.event_recorder import EventRecorder
from glmtts_core.studio.jobs import Job, Priority

_log = logging.getLogger(__name__)


class _JobControl:
    """The `JobControl` of one running job."""

    def __init__(self, job: Job, run_tasks: Callable[[], None]) -> None:
        self._job = job
        self._run_tasks = run_tasks

    @property
    def cancel(self) -> CancelToken:
        return self._job.cancel_token

    def report(self, progress: Progress) -> None:
        self._job.report(progress)

    def safe_point(self) -> None:
        self.cancel.raise_if_cancelled()
        self._run_tasks()
        self.cancel.raise_if_cancelled()


class JobRunner:
    """Runs jobs one after another and measures what they cost.

    Args:
        engines: those on offer.
        sessions: the sessions' caches and histories.
        account: takes the marks and the readings, and makes room.
        events: takes down what was loaded and evicted, and what failed.
        rescue: whether a job whose memory ran out is begun anew after a cleanup.

    Attributes:
        loading: the name of the engine that is being loaded at the moment, or None.
        fresh_since_s: when an engine was loaded (`time.monotonic`), until something is spoken;
            else None.
    """

    def __init__(
        self,
        engines: EngineHost,
        sessions: SessionRegistry,
        account: MemoryAccount,
        events: EventRecorder,
        *,
        rescue: bool = True,
    ) -> None:
        self.loading: str | None = None
        self.fresh_since_s: float | None = None
        self._engines = engines
        self._sessions = sessions
        self._account = account
        self._events = events
        self._monitor = account.monitor
        self._rescue = rescue

    def run(self, job: Job, run_tasks: Callable[[], None]) -> None:
        """Run ``job`` to its end, whatever happens; nothing is raised.

        Args:
            job: started, and not finished.
            run_tasks: called at safe points, to do what waits for one.
        """
        control = _JobControl(job, run_tasks)
        try:
            engine = self._engines.find(job.engine)
            record, out_of_memory = self._attempt(job, engine, control)
            # a batch line is begun anew by its run, which writes every attempt down
            rescued = self._rescue and job.priority is Priority.INTERACTIVE
            if isinstance(out_of_memory, ProcessOutOfMemoryError) and _goes_on(job):
                # what was spoken before went with the process: it would not say the same
                rescued = False
            if out_of_memory is not None and rescued:
                self._make_room(engine, job)
                job.retry()
                record, out_of_memory = self._attempt(job, engine, control)
        except GLMTTSError as error:
            self._fail(job, error)
        except BaseException as error:  # noqa: BLE001
            # the worker must outlive any fault of one job, a native library's panic (which is no
            # Exception) too; the log has the whole story
            _log.exception("job %d failed", job.number)
            reason = f"{type(error).__name__}: {error}"
            self._fail(job, EngineError("engine.unexpected", reason=reason))
        else:
            if out_of_memory is None:
                job.succeed(record)
            else:
                self._fail(job, out_of_memory)

    def _fail(self, job: Job, error: GLMTTSError) -> None:
        if not isinstance(error, SynthesisCancelled):
            self._events.failed(job, error)
        job.fail(error)

    def _attempt(
        self, job: Job, engine: Engine, control: _JobControl
    ) -> tuple[ResultRecord | None, OutOfMemoryError | None]:
        """Load and speak; that memory ran out is returned and not raised.

        So its traceback, which holds every tensor of the attempt, is gone before the next one.
        """
        try:
            self._ensure_loaded(engine, job, control)
            record = None if job.request is None else self._speak(job, job.request, engine, control)
        except OutOfMemoryError as error:
            error.__cause__ = error.__context__ = None
            out_of_memory = error.with_traceback(None)
        except MemoryError:
            out_of_memory = OutOfMemoryError("engine.out_of_memory")
        else:
            return record, None
        self._monitor.mark(EventKind.OUT_OF_MEMORY)
        return None, out_of_memory

    def _make_room(self, engine: Engine, job: Job) -> None:
        """Release everything idle: the caches of sessions without a job, other engines.

        The job's own caches stay: without the history it would not say the same.
        """
        owners = self._sessions.idle_ids()
        caches = self._sessions.caches_of(owners)
        filled = [each for each in owners if each in self._account.owners_of_caches()]
        drop: list[Callable[[], object]] = [each.clear for each in caches]
        drop.append(lambda: self._engines.drop_caches(owners))
        others = self._engines.others(engine)
        drop += [_unloading(other) for other in others]
        drop.append(lambda: engine.release(CleanupLevel.TRIM))
        report = self._account.cleaner.clean(CleanupLevel.TRIM, drop=drop, owners=owners)
        self._events.evicted(
            EvictionReason.OUT_OF_MEMORY,
            report,
            needed_by=engine.capabilities.engine,
            session_id=job.session_id,
            engines=_names(others),
            caches_of=filled,
        )

    def _ensure_loaded(self, engine: Engine, job: Job, control: _JobControl) -> None:
        if engine.ready:
            return
        self.loading = engine.capabilities.engine
        try:
            control.report(Progress(Stage.LOADING, 0.0))
            self._evict_in_the_way_of(engine, job)
            started_s = time.monotonic()
            meter = CostMeter(self._monitor, self._account.allocator, engine.capabilities.device)
            try:
                with meter:
                    engine.load(control)
            finally:
                # an engine may find, when it loads, that it has to compute on the CPU
                self._account.move_to(self._engines.main_device)
            seconds = time.monotonic() - started_s
            settle_garbage()
            self._account.cleaner.note_floor()
            self.fresh_since_s = time.monotonic()
            self._monitor.mark(EventKind.LOAD, engine.capabilities.engine)
            self._events.loaded(job.session_id, self.loading, seconds, meter.cost)
        finally:
            self.loading = None

    def _evict_in_the_way_of(self, engine: Engine, job: Job) -> None:
        crowding = self._engines.in_the_way_of(engine)
        if not crowding:
            return
        drop = [_unloading(each) for each in crowding]
        report = self._account.cleaner.clean(CleanupLevel.UNLOAD, drop=drop, owners=())
        self._events.evicted(
            EvictionReason.ROOM_FOR_ENGINE,
            report,
            needed_by=engine.capabilities.engine,
            session_id=job.session_id,
            engines=_names(crowding),
        )

    def _speak(
        self, job: Job, request: SynthesisRequest, engine: Engine, control: _JobControl
    ) -> ResultRecord | None:
        self.fresh_since_s = None
        self._account.cleaner.begin_growth()
        self._monitor.mark(EventKind.SYNTHESIS_START)
        try:
            result = self._measure(job, request, engine, control)
            return self._keep(job, request, result, engine.capabilities)
        finally:
            # storing the result has grown the heap too, and a cleanup gives that back as well
            self._account.cleaner.end_growth()
            self._monitor.mark(EventKind.SYNTHESIS_END)

    def _measure(
        self, job: Job, request: SynthesisRequest, engine: Engine, control: _JobControl
    ) -> SynthesisResult:
        caches = self._sessions.entry(job.session_id).caches
        unpaid = self._events.unpaid()
        started_s = time.monotonic()
        meter = CostMeter(self._monitor, self._account.allocator, engine.capabilities.device)
        try:
            with meter:
                audio = engine.synthesize(request, caches, control)
                seconds = time.monotonic() - started_s
        finally:
            job.measured(meter.cost)
        result = SynthesisResult(audio, seconds, meter.cost)
        self._events.spoken(job.session_id, result, unpaid)
        return result

    def _keep(
        self, job: Job, request: SynthesisRequest, result: SynthesisResult, can: Capabilities
    ) -> ResultRecord | None:
        if job.keep is not None:
            job.keep(result)
            return None
        entry = self._sessions.entry(job.session_id)
        record = entry.history.save(request, result, can.engine, rehearsed=can.random_weights)
        # the page draws waveform and mel spectrogram from these without decoding the file again
        samples = result.audio.samples
        entry.caches.put(LedgerKind.RESULTS, str(record.number), samples, samples.nbytes)
        entry.facts.append(
            SpokenFacts(
                at_s=time.monotonic(),
                text_chars=len(request.text),
                sample_rate_hz=request.sample_rate_hz,
                reference_hash=request.reference.content_hash if request.reference else None,
                growth_bytes=result.memory.growth_bytes,
            )
        )
        return record


def _goes_on(job: Job) -> bool:
    """Whether a job speaks on from what was spoken before."""
    return job.request is not None and job.request.history


def _unloading(engine: Engine) -> Callable[[], None]:
    return lambda: engine.release(CleanupLevel.UNLOAD)


def _names(engines: Sequence[Engine]) -> tuple[str, ...]:
    return tuple(each.capabilities.engine for each in engines)
