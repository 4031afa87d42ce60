"""The studio: engines, worker, memory monitor and ledger behind one object.

Knows nothing about Streamlit, nor that there is one studio a process (`shared`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from glmtts_core.engines.available import EngineFactory
from glmtts_core.engines.base import Engine
from glmtts_core.engines.checks import check_request
from glmtts_core.engines.host.base import EngineHost
from glmtts_core.engines.host.inline import InlineHost
from glmtts_core.errors import BusyError, GLMTTSError
from glmtts_core.memory.advisor import advise
from glmtts_core.memory.cleanup import CleanupLevel, CleanupReport, Promise
from glmtts_core.memory.monitor import EventKind
from glmtts_core.message import Message
from glmtts_core.sessions.event_log import EventLimits, EventLog
from glmtts_core.sessions.events import AskedBy, EngineLoss, EvictionReason, Experiment
from glmtts_core.sessions.ids import SessionIds
from glmtts_core.sessions.registry import SessionRegistry
from glmtts_core.sessions.studio_database import StudioDatabase
from glmtts_core.settings import Settings
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.engine_room import EngineRoom
from glmtts_core.studio.event_recorder import EventRecorder
from glmtts_core.studio.jobs import Job, Keep, Priority
from glmtts_core.studio.runner import JobRunner
from glmtts_core.studio.service_registry import ServiceRegistry
from glmtts_core.studio.session_closing import SessionClosing
from glmtts_core.studio.state import StudioState, studio_state
from glmtts_core.studio.worker import Worker, WorkerTask

#: Seconds that closing waits for a running synthesis to stop.
_CLOSE_S: Final = 4.0


class Studio:
    """Owns the engine and everything that measures and cleans around it. Thread-safe.

    Args:
        settings: checked.
        engine_factories: make the engines, the preferred one first; none means those that there
            are.
        host: where the engines run.
        own_memory: whether the memory of this process counts beside that of the engines' own.
        rescue: whether a job whose memory ran out is begun anew after a cleanup.
    """

    def __init__(
        self,
        settings: Settings,
        *engine_factories: EngineFactory,
        host: type[EngineHost] = InlineHost,
        own_memory: bool = True,
        rescue: bool = True,
    ) -> None:
        self.settings = settings
        self._room = EngineRoom(settings, engine_factories, host, own_memory=own_memory)
        self.ledger, self.engines = self._room.ledger, self._room.engines
        #: Why GLM-TTS is not among the engines; None where it is.
        self.lacking = self._room.lacking
        self._account = self._room.account
        self.monitor = self._account.monitor
        self._database = StudioDatabase(settings.output_dir)
        self.event_log = EventLog(self._database, EventLimits(settings.history_max_age_days))
        self._events = EventRecorder(self.event_log)
        self.sessions = SessionRegistry(settings, self.ledger, self._database)
        self.session_ids = SessionIds(settings.output_dir)
        self.engines.when_lost(self._note_loss)
        self._runner = JobRunner(
            self.engines, self.sessions, self._account, self._events, rescue=rescue
        )
        self._last_cleanup_s: float | None = None
        self._lock = threading.Lock()
        self._worker = Worker(self._run_job, name=f"engine-{self._account.device}")
        self.monitor.start()
        self.services = ServiceRegistry()
        self._closing = SessionClosing(
            settings, self._database, self.sessions, self._worker, self._give_back_of
        )
        self._closing.clear_old()

    # -- sessions ------------------------------------------------------------------------------

    def end_lease(self, session_id: str, holder: object | None = None) -> None:
        """Give the session's caches back; returns at once, the worker does it at a safe point."""
        self._closing.end_lease(session_id, holder)

    # -- jobs ----------------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """The preferred engine."""
        return self.engines.preferred

    def rehearse(self, wanted: bool) -> WorkerTask[bool]:
        """Offer GLM-TTS with random weights besides the engines there are, or take it away again.

        Runs on the worker's thread; bringing PyTorch in may take seconds. The task returns True,
        so that what is done differs from what still waits.

        Raises:
            BusyError: jobs run or wait, and memory may have to be accounted for elsewhere.
        """
        if self._worker.running is not None or self._worker.waiting():
            raise BusyError("studio.rehearsal_busy")
        return self._worker.send(WorkerTask(lambda: self._rehearse(wanted)))

    def _rehearse(self, wanted: bool) -> bool:
        rehearsed = self.engines.rehearsal
        if wanted and rehearsed is None:
            self._room.add_rehearsal()
        elif rehearsed is not None and not wanted:
            drop = [lambda: self.engines.remove(rehearsed)]
            name = rehearsed.capabilities.engine
            report = self._account.cleaner.clean(CleanupLevel.UNLOAD, drop=drop, owners=())
            self._events.evicted(EvictionReason.WITHDRAWN, report, needed_by=name, engines=[name])
        self._account.move_to(self.engines.main_device)
        return True

    def load(self, session_id: str, engine: str | None = None) -> Job:
        """Queue the mere loading of an engine, by default of the preferred one.

        Loading is nobody's job in particular: a synthesis of the same session queues behind it.

        Raises:
            RequestError: no engine has this name.
            SynthesisCancelled: the program is closing.
        """
        name = self.engines.find(engine).capabilities.engine
        job = Job(session_id, None, engine=name)
        self._worker.submit(job)
        return job

    def submit(
        self,
        session_id: str,
        request: SynthesisRequest,
        priority: Priority = Priority.INTERACTIVE,
        keep: Keep | None = None,
    ) -> Job:
        """Queue a synthesis.

        Args:
            session_id: whose caches are used.
            request: what to speak.
            priority: batch lines let every interactive job go first.
            keep: takes the result, on the worker thread; None puts it in the session's history.

        Raises:
            RequestError, TextError: the engine cannot do this; nothing was queued or loaded.
            BusyError: the session has an interactive job running or waiting already.
            SynthesisCancelled: the program is closing.
        """
        capabilities = self.engines.find(request.engine).capabilities
        check_request(request, capabilities, self.settings.max_text_chars)
        job = Job(session_id, request, priority, capabilities.engine, keep)
        entry = self.sessions.entry(session_id)
        with self._lock:
            if priority is Priority.INTERACTIVE:
                if entry.active_job is not None:
                    raise BusyError("studio.session_busy")
                entry.job = job
            self._worker.submit(job)
        return job

    def place_of(self, job: Job) -> int:
        """Return how many jobs go before ``job``."""
        return self._worker.place_of(job)

    def state(self, engine: str | None = None) -> StudioState:
        """Return what the engine called ``engine`` is doing; with None, what any of them is."""
        return studio_state(self._worker, self._runner.loading, self.engines, engine)

    def _run_job(self, job: Job) -> None:
        self._runner.run(job, self._worker.run_tasks_within_job)
        self._note_events()
        self._closing.forget_if_closed(job.session_id)

    def _note_events(self) -> None:
        """Have what happened written down once nobody waits for it."""
        if self._events.waiting:
            self._worker.send(WorkerTask(self._events.flush, within_jobs=False))

    # -- memory --------------------------------------------------------------------------------

    @property
    def memory_messages(self) -> tuple[Message, ...]:
        """Why figures are unknown, each reason once."""
        return self._account.messages

    @property
    def driver_version(self) -> str | None:
        """Version of the NVIDIA driver; None where there is none or it does not tell."""
        return self._room.driver.driver_version()

    @property
    def driver_version_message(self) -> Message | None:
        """Why a driver that answers does not tell its version; None where it does."""
        return self._room.driver.version_message

    def promise(self, session_id: str) -> Promise:
        """Return what a trim asked for by this session would give back."""
        return self._account.cleaner.promise(CleanupLevel.TRIM, [session_id])

    def advice(self, session_id: str) -> Message | None:
        """Return one line of advice for this session, where there is any."""
        return advise(
            tuple(self.sessions.entry(session_id).facts),
            # what others have spoken since is not what loading has left
            loaded_at_s=self._runner.fresh_since_s if self.engines.any_loaded else None,
            last_cleanup_s=self._last_cleanup_s,
            reclaimable=self.promise(session_id),
        )

    def cleanup(
        self,
        level: CleanupLevel,
        session_id: str | None,
        *,
        force: bool = False,
        asked_by: AskedBy = AskedBy.PROGRAM,
    ) -> WorkerTask[CleanupReport]:
        """Ask for a cleanup; it runs at once, or at the running job's next safe point.

        A trim by a session drops this session's caches, one by nobody (``None``) those of all
        sessions without a job. What goes deeper always waits for the running job to end.

        Args:
            level: how deep it goes.
            session_id: who asks; None for nobody in particular.
            force: unload even while jobs of others run or wait.
            asked_by: what is written down as the one who wanted it.

        Raises:
            BusyError: unload without ``force`` while jobs of others run or wait.
        """
        if level is CleanupLevel.UNLOAD and not force:
            others = self._worker.jobs_of_others(session_id)
            if others:
                raise BusyError("studio.unload_busy", count=others)
        owners = self.sessions.idle_ids() if session_id is None else [session_id]
        return self._worker.send(
            WorkerTask(
                lambda: self._clean(level, session_id, owners, asked_by),
                within_jobs=level is CleanupLevel.TRIM,
            )
        )

    def _clean(
        self, level: CleanupLevel, session_id: str | None, owners: list[str], asked_by: AskedBy
    ) -> CleanupReport:
        drop: list[Callable[[], object]] = [each.clear for each in self.sessions.caches_of(owners)]
        drop.append(lambda: self.engines.release(level))
        # a process that the release has ended has nothing to drop, and need not be asked
        drop.append(lambda: self.engines.drop_caches(owners))
        self._last_cleanup_s = time.monotonic()
        report = self._account.cleaner.clean(level, drop=drop, owners=owners)
        self._events.cleaned(report, asked_by, session_id)
        return report

    def limit_memory(self, engine: Engine, headroom_bytes: int) -> WorkerTask[None]:
        """Limit the memory of an engine's own process; see `EngineHost.limit_memory`."""
        limit = self.engines.limit_memory
        return self._worker.send(WorkerTask(lambda: limit(engine, headroom_bytes)))

    def _give_back_of(self, session_id: str) -> None:
        """Return the memory of a session that is forgotten; on the worker's thread."""
        self.engines.drop_caches([session_id])
        self._account.allocator.give_back()

    def note_experiment(self, experiment: Experiment) -> None:
        """Write down that an experiment has ended; from any thread but a page's."""
        self._events.note(experiment)

    def _note_loss(self, engine: str, how: GLMTTSError) -> None:
        self.monitor.mark(EventKind.ENGINE_LOST, engine)
        self._events.note(EngineLoss(time.time(), engine, how.message.plain()))

    # -- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop the services, cancel all jobs, give the memory back and stop the threads.

        Takes seconds at most.
        """
        self.services.close()
        idle = self._worker.close(_CLOSE_S)
        if idle:
            self._events.flush()
        self._room.close(idle=idle)
        self._database.close()
