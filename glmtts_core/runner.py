"""Running one job on the engine: load where needed, speak, measure, keep the result.

Everything in here happens on the worker thread. Knows nothing about queues.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from glmtts_core.engines.base import (
    CancelToken,
    Engine,
    Progress,
    Stage,
    SynthesisRequest,
    SynthesisResult,
)
from glmtts_core.errors import EngineError, GLMTTSError, OutOfMemoryError
from glmtts_core.history import ResultRecord
from glmtts_core.jobs import Job
from glmtts_core.memory.advisor import SpokenFacts
from glmtts_core.memory.cleanup import Cleaner, settle_garbage
from glmtts_core.memory.cost import CostMeter
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.memory.monitor import EventKind, MemoryMonitor
from glmtts_core.spaces import SessionSpaces

_log = logging.getLogger(__name__)


class _JobControl:
    """The `JobControl` of one running job."""

    def __init__(self, job: Job, run_errands: Callable[[], None]) -> None:
        self._job = job
        self._run_errands = run_errands

    @property
    def cancel(self) -> CancelToken:
        return self._job.cancel_token

    def report(self, progress: Progress) -> None:
        self._job.report(progress)

    def safe_point(self) -> None:
        self.cancel.raise_if_cancelled()
        self._run_errands()
        self.cancel.raise_if_cancelled()


class JobRunner:
    """Runs jobs one after another and measures what they cost.

    Attributes:
        loading: whether the engine is being loaded at the moment.
        fresh_since_s: when it was loaded (`time.monotonic`), until something is spoken; else None.
    """

    def __init__(
        self,
        engine: Engine,
        spaces: SessionSpaces,
        monitor: MemoryMonitor,
        cleaner: Cleaner,
        meter: CostMeter,
    ) -> None:
        self.loading = False
        self.fresh_since_s: float | None = None
        self._engine = engine
        self._spaces = spaces
        self._monitor = monitor
        self._cleaner = cleaner
        self._meter = meter

    def run(self, job: Job, run_errands: Callable[[], None]) -> None:
        """Run ``job`` to its end, whatever happens; nothing is raised.

        Args:
            job: started, and not finished.
            run_errands: called at safe points, to do what waits for one.
        """
        control = _JobControl(job, run_errands)
        try:
            self._ensure_loaded(control)
            record = None if job.request is None else self._speak(job, job.request, control)
        except GLMTTSError as error:
            if isinstance(error, OutOfMemoryError):
                self._monitor.mark(EventKind.OUT_OF_MEMORY)
            job.fail(error)
        except MemoryError:
            self._monitor.mark(EventKind.OUT_OF_MEMORY)
            job.fail(OutOfMemoryError("engine.out_of_memory"))
        except BaseException as error:  # noqa: BLE001
            # the worker must outlive any fault of one job, a native library's panic (which is no
            # Exception) too; the log has the whole story
            _log.exception("job %d failed", job.number)
            job.fail(EngineError("engine.unexpected", reason=f"{type(error).__name__}: {error}"))
        else:
            job.succeed(record)

    def _ensure_loaded(self, control: _JobControl) -> None:
        if self._engine.loaded:
            return
        self.loading = True
        try:
            control.report(Progress(Stage.LOADING, 0.0))
            self._engine.load(control)
            settle_garbage()
            self._cleaner.note_floor()
            self.fresh_since_s = time.monotonic()
            self._monitor.mark(EventKind.LOAD, self._engine.capabilities.engine)
        finally:
            self.loading = False

    def _speak(
        self, job: Job, request: SynthesisRequest, control: _JobControl
    ) -> ResultRecord | None:
        self.fresh_since_s = None
        self._cleaner.begin_growth()
        self._monitor.mark(EventKind.SYNTHESIS_START)
        try:
            result = self._measure(job, request, control)
            return self._keep(job, request, result)
        finally:
            # storing the result has grown the heap too, and a cleanup gives that back as well
            self._cleaner.end_growth()
            self._monitor.mark(EventKind.SYNTHESIS_END)

    def _measure(
        self, job: Job, request: SynthesisRequest, control: _JobControl
    ) -> SynthesisResult:
        caches = self._spaces.space(job.session_id).caches
        started_s = time.monotonic()
        try:
            with self._meter:
                audio = self._engine.synthesize(request, caches, control)
                seconds = time.monotonic() - started_s
        finally:
            job.measured(self._meter.cost)
        return SynthesisResult(audio, seconds, self._meter.cost)

    def _keep(
        self, job: Job, request: SynthesisRequest, result: SynthesisResult
    ) -> ResultRecord | None:
        if job.keep is not None:
            job.keep(result)
            return None
        space = self._spaces.space(job.session_id)
        record = space.history.save(request, result, self._engine.capabilities.engine)
        # the page draws waveform and mel spectrogram from these without decoding the file again
        samples = result.audio.samples
        space.caches.put(LedgerKind.RESULTS, str(record.number), samples, samples.nbytes)
        space.facts.append(
            SpokenFacts(
                at_s=time.monotonic(),
                text_chars=len(request.text),
                sample_rate_hz=request.sample_rate_hz,
                reference_hash=request.reference.content_hash if request.reference else None,
                growth_bytes=result.memory.growth_bytes,
            )
        )
        return record
