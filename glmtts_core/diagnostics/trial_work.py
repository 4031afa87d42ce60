"""The work of one trial: load the engine, speak the workload, clean up, and measure."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from glmtts_core.diagnostics.experiment import FIXED_SEED, Arm, Policy, Workload, shipped_texts
from glmtts_core.diagnostics.trial import Cleaned, Loaded, Rested, Spoken, TrialPart
from glmtts_core.diagnostics.trial_notes import TrialNotes
from glmtts_core.engines.base import CancelToken
from glmtts_core.errors import GLMTTSError, OutOfMemoryError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.memory.points import Line, MemoryPoint, main_line
from glmtts_core.sessions.events import AskedBy
from glmtts_core.sessions.session import Session, new_session_id
from glmtts_core.speech import ReferenceAudio, SynthesisRequest, new_seed
from glmtts_core.studio.jobs import Job, JobView
from glmtts_core.studio.studio import Studio

#: The longest wait for a cleanup in seconds; it takes tenths.
_CLEANUP_S: Final = 120.0
#: Samples are taken down at least this often: the monitor keeps `HISTORY_S`.
_SAMPLES_EVERY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class TrialOrder:
    """What a trial does.

    Attributes:
        engine: name of the engine.
        arm: how to work.
        workload: how much.
        reference: the recording whose voice is cloned, for an engine that only clones.
    """

    engine: str
    arm: Arm
    workload: Workload
    reference: ReferenceAudio | None = None


class TrialWork:
    """Speaks the workload as the arm wants it and takes down what it measures.

    An arm under memory pressure goes on where the limit has ended the engine's process: that
    synthesis counts as one that lacked memory, and the next one gets a new process with the same
    limit. In another arm the end of the process is the end of the trial.

    Args:
        studio: of the trial alone, with nothing loaded.
        order: what to do.
        notes: take down what was measured.
        cancel: ends the work.
    """

    def __init__(
        self, studio: Studio, order: TrialOrder, notes: TrialNotes, cancel: CancelToken
    ) -> None:
        self._studio = studio
        self._order = order
        self._notes = notes
        self._cancel = cancel
        self._engine = studio.engines.find(order.engine)
        self._session = Session(studio, new_session_id())
        # as a visitor's: what a session without one keeps goes with each of its jobs
        studio.sessions.lease(self._session.id)
        self._began_s = self._sampled_s = time.monotonic()
        self._line = Line.RESIDENT_SET
        self._since_cleanup = 0
        self._spoken = 0

    def run(self) -> None:
        """Do all of the trial's work.

        Raises:
            GLMTTSError: the engine cannot be loaded, its process has ended, or this system has no
                memory limit.
            SynthesisCancelled: it was cancelled.
        """
        texts, work = shipped_texts(), self._order.workload
        self._load()
        if self._order.arm.clean_at_start:
            self._clean(TrialPart.START)
        self._speak_all(TrialPart.GROWING, texts.growing[: work.growing])
        self._speak_all(TrialPart.TIMED, [texts.timed] * work.timed)
        self._speak_all(TrialPart.BATCH, texts.batch[: work.batch])
        self._notes.rested = Rested(memory_bytes=self._memory_now())
        self._speak(TrialPart.BEFORE_CLEANUP, 0, texts.timed)
        self._clean(TrialPart.LAST_CLEANUP)
        self._speak(TrialPart.AFTER_CLEANUP, 0, texts.timed)
        self._sample()

    def _load(self) -> None:
        """Load the engine, for the first time or in a new process, and limit its memory."""
        started_s = time.monotonic()
        view = self._end_of(self._studio.load(self._session.id, self._order.engine))
        if view.error is not None:
            raise view.error
        if self._notes.loaded is None:
            self._notes.loaded = self._loaded(time.monotonic() - started_s)
        if (headroom_bytes := self._order.arm.headroom_bytes) is not None:
            limiting = self._studio.limit_memory(self._engine, headroom_bytes)
            limiting.wait(_CLEANUP_S)
            if not limiting.done:
                raise TimeoutError("the memory was not limited")

    def _loaded(self, load_s: float) -> Loaded:
        start_s = self._seconds_since_start()
        point = MemoryPoint.of(self._studio.monitor.sample_now())
        self._line = main_line(self._engine.capabilities.device, [point])
        return Loaded(
            start_s=load_s if start_s is None else start_s,
            load_s=load_s,
            memory_bytes=point.value(self._line) or 0,
            line=self._line.value,
        )

    def _seconds_since_start(self) -> float | None:
        """Return how long the engine's process has been there; None where it has none."""
        pids = self._studio.engines.processes or {}
        pid = next((pid for pid, name in pids.items() if name == self._order.engine), None)
        if pid is None:
            return None
        try:
            return max(0.0, time.time() - psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    def _speak_all(self, part: TrialPart, texts: Iterable[str]) -> None:
        for index, text in enumerate(texts):
            self._speak(part, index, text)
            if self._wants_cleanup():
                self._clean(part)
            if time.monotonic() - self._sampled_s > _SAMPLES_EVERY_S:
                self._sample()

    def _speak(self, part: TrialPart, index: int, text: str) -> None:
        request = self._request(text)
        attempt = _attempt(part, index, request)
        try:
            job = self._session.submit(request)
        except GLMTTSError as error:
            self._notes.speak(_failed(attempt, 0.0, error))
            return
        view = self._end_of(job)
        self._spoken += 1
        self._since_cleanup += 1
        if view.error is not None or view.record is None:
            self._fail(attempt, view)
            return
        self._notes.speak(self._success(attempt, view))

    def _fail(self, attempt: dict[str, Any], view: JobView) -> None:
        limited, ended = self._order.arm.headroom_bytes is not None, not self._engine.loaded
        self._notes.speak(_failed(attempt, view.elapsed_s, view.error, by_limit=limited and ended))
        if not ended:
            return
        if not limited and view.error is not None:
            raise view.error
        self._load()

    def _end_of(self, job: Job) -> JobView:
        """Wait for a job, and return how it has ended.

        Raises:
            SynthesisCancelled: the trial was cancelled.
        """
        with self._cancel.interrupting(job.cancel):
            job.wait()
        self._cancel.raise_if_cancelled()
        return job.view()

    def _request(self, text: str) -> SynthesisRequest:
        arm, can = self._order.arm, self._engine.capabilities
        rates = [rate.hz for rate in can.sample_rates]
        rate = rates[self._spoken % len(rates)] if arm.switch_rates else rates[0]
        voices = [voice.id for voice in can.voices[: 2 if arm.switch_voices else 1]]
        return SynthesisRequest(
            text=text,
            voice=voices[self._spoken % len(voices)] if voices else None,
            sample_rate_hz=rate,
            seed=(new_seed() if arm.fresh_seeds else FIXED_SEED) if can.seed else None,
            history=arm.history,
            reference=self._order.reference,
            engine=self._order.engine,
        )

    def _success(self, attempt: dict[str, Any], view: JobView) -> Spoken:
        record, cost = view.record, view.memory
        assert record is not None and cost is not None
        # kept for the pages, in their process: nothing that a cleanup of the engine gives back
        caches = self._studio.sessions.entry(self._session.id).caches
        caches.drop(LedgerKind.RESULTS, str(record.number))
        return Spoken(
            **attempt,
            seconds=record.seconds,
            before_bytes=cost.before.value(self._line) or 0,
            peak_bytes=cost.peak.value(self._line) or 0,
            after_bytes=cost.after.value(self._line) or 0,
            audio_s=record.audio_s,
            file=_stored_name(self._session.id, record.number),
        )

    # -- memory --------------------------------------------------------------------------------

    def _wants_cleanup(self) -> bool:
        arm = self._order.arm
        match arm.policy:
            case Policy.NEVER:
                return False
            case Policy.ALWAYS:
                return True
            case Policy.EVERY:
                return self._since_cleanup >= arm.every
            case Policy.AUTOMATIC:
                return self._session.advice() is not None

    def _clean(self, part: TrialPart) -> None:
        self._cancel.raise_if_cancelled()
        before_bytes = self._memory_now()
        report = self._studio.cleanup(
            CleanupLevel.TRIM, self._session.id, asked_by=AskedBy.EXPERIMENT
        ).wait(_CLEANUP_S)
        if report is None:
            raise TimeoutError("the cleanup did not end")
        self._since_cleanup = 0
        self._notes.cleaned.append(
            Cleaned(
                part=part,
                seconds=report.seconds,
                promised_bytes=report.promised.bytes,
                regained_bytes=report.regained_bytes,
                before_bytes=before_bytes,
            )
        )

    def _memory_now(self) -> int:
        return MemoryPoint.of(self._studio.monitor.sample_now()).value(self._line) or 0

    def _sample(self) -> None:
        now_s = time.monotonic()
        readings = self._studio.monitor.samples(now_s - self._sampled_s)
        self._sampled_s = now_s
        self._notes.sample(
            (
                round(max(0.0, each.time_s - self._began_s), 2),
                MemoryPoint.of(each).value(self._line) or 0,
            )
            for each in readings
        )


def _attempt(part: TrialPart, index: int, request: SynthesisRequest) -> dict[str, Any]:
    """Return the fields of `Spoken` that are known before the synthesis."""
    return {
        "part": part,
        "index": index,
        "characters": len(request.text),
        "sample_rate_hz": request.sample_rate_hz,
        "voice": request.voice or "",
    }


def _failed(
    attempt: dict[str, Any], seconds: float, error: GLMTTSError | None, *, by_limit: bool = False
) -> Spoken:
    return Spoken(
        **attempt,
        seconds=seconds,
        error=str(error) if error is not None else "the result was not kept",
        out_of_memory=by_limit or isinstance(error, OutOfMemoryError),
    )


def _stored_name(session_id: str, number: int) -> str:
    """Return where the session's history keeps a result, within the trial's folder."""
    return str(Path("sessions") / session_id / f"{number:06d}.wav")
