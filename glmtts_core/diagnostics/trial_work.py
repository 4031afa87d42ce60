"""The work of one trial: load the engine, speak the workload, clean up, and measure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import psutil

from glmtts_core.audio import decode
from glmtts_core.diagnostics.experiment import FIXED_SEED, Policy, shipped_texts
from glmtts_core.diagnostics.trial import (
    ChildMessage,
    Cleaned,
    Loaded,
    Rested,
    Sampled,
    Spoken,
    TrialOrder,
    TrialPart,
)
from glmtts_core.errors import GLMTTSError, OutOfMemoryError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.memory_limit import limit_memory
from glmtts_core.memory.points import Line, MemoryPoint, main_line
from glmtts_core.sessions.events import AskedBy
from glmtts_core.sessions.session import Session, new_session_id
from glmtts_core.speech import ReferenceAudio, SynthesisRequest, new_seed
from glmtts_core.studio.jobs import JobView
from glmtts_core.studio.studio import Studio

#: The longest wait for a cleanup in seconds; it takes tenths.
_CLEANUP_S: Final = 120.0
#: Samples are sent at least this often: the monitor keeps `HISTORY_S`.
_SAMPLES_EVERY_S: Final = 30.0

Send = Callable[[ChildMessage], None]


class TrialWork:
    """Speaks the workload as the arm wants it and sends what it measures.

    Args:
        studio: of this process, with nothing loaded.
        order: what to do.
        send: receives what was measured.
    """

    def __init__(self, studio: Studio, order: TrialOrder, send: Send) -> None:
        self._studio = studio
        self._order = order
        self._send = send
        self._engine = studio.engines.find(order.engine)
        self._reference = _reference(order)
        self._session = Session(studio, new_session_id())
        self._born_s = time.monotonic() - (time.time() - psutil.Process().create_time())
        self._line = Line.RESIDENT_SET
        self._since_cleanup = 0
        self._spoken = 0
        self._sent_until_s = time.monotonic()

    def run(self) -> None:
        """Do all of the trial's work.

        Raises:
            GLMTTSError: the engine cannot be loaded, or this system has no memory limit.
        """
        texts, work, arm = shipped_texts(), self._order.workload, self._order.arm
        self._load()
        if arm.headroom_bytes is not None:
            limit_memory(self._engine.capabilities.device, arm.headroom_bytes)
        if arm.clean_at_start:
            self._clean(TrialPart.START)
        self._speak_all(TrialPart.GROWING, texts.growing[: work.growing])
        self._speak_all(TrialPart.TIMED, [texts.timed] * work.timed)
        self._speak_all(TrialPart.BATCH, texts.batch[: work.batch])
        self._send(Rested(memory_bytes=self._memory_now()))
        self._speak(TrialPart.BEFORE_CLEANUP, 0, texts.timed)
        self._clean(TrialPart.LAST_CLEANUP)
        self._speak(TrialPart.AFTER_CLEANUP, 0, texts.timed)
        self._send_samples()

    def _load(self) -> None:
        started_s = time.monotonic()
        job = self._studio.load(self._session.id, self._order.engine)
        job.wait()
        if (error := job.view().error) is not None:
            raise error
        ready_s = time.monotonic()
        point = MemoryPoint.of(self._studio.monitor.sample_now())
        self._line = main_line(self._engine.capabilities.device, [point])
        self._send(
            Loaded(
                start_s=ready_s - self._born_s,
                load_s=ready_s - started_s,
                memory_bytes=point.value(self._line) or 0,
                line=self._line.value,
            )
        )

    def _speak_all(self, part: TrialPart, texts: Iterable[str]) -> None:
        for index, text in enumerate(texts):
            self._speak(part, index, text)
            if self._wants_cleanup():
                self._clean(part)
            if time.monotonic() - self._sent_until_s > _SAMPLES_EVERY_S:
                self._send_samples()

    def _speak(self, part: TrialPart, index: int, text: str) -> None:
        request = self._request(text)
        attempt = _attempt(part, index, request)
        try:
            job = self._session.submit(request)
        except GLMTTSError as error:
            self._send(_failed(attempt, 0.0, error))
            return
        job.wait()
        self._spoken += 1
        self._since_cleanup += 1
        view = job.view()
        if view.error is not None or view.record is None:
            self._send(_failed(attempt, view.elapsed_s, view.error))
            return
        self._send(self._success(attempt, view))

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
            reference=self._reference,
            engine=self._order.engine,
        )

    def _success(self, attempt: dict[str, Any], view: JobView) -> Spoken:
        record, cost = view.record, view.memory
        assert record is not None and cost is not None
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
        before_bytes = self._memory_now()
        report = self._studio.cleanup(
            CleanupLevel.TRIM, self._session.id, asked_by=AskedBy.EXPERIMENT
        ).wait(_CLEANUP_S)
        if report is None:
            raise TimeoutError("the cleanup did not end")
        self._since_cleanup = 0
        self._send(
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

    def _send_samples(self) -> None:
        now_s = time.monotonic()
        readings = self._studio.monitor.samples(now_s - self._sent_until_s)
        self._sent_until_s = now_s
        points = tuple(
            (round(each.time_s - self._born_s, 2), MemoryPoint.of(each).value(self._line) or 0)
            for each in readings
        )
        self._send(Sampled(points=points))


def _reference(order: TrialOrder) -> ReferenceAudio | None:
    file = order.reference_file
    if file is None:
        return None
    audio = decode(file.read_bytes(), file.name)
    return ReferenceAudio(audio.samples, audio.sample_rate_hz, file.name, order.reference_text)


def _attempt(part: TrialPart, index: int, request: SynthesisRequest) -> dict[str, Any]:
    """Return the fields of `Spoken` that are known before the synthesis."""
    return {
        "part": part,
        "index": index,
        "characters": len(request.text),
        "sample_rate_hz": request.sample_rate_hz,
        "voice": request.voice or "",
    }


def _failed(attempt: dict[str, Any], seconds: float, error: GLMTTSError | None) -> Spoken:
    return Spoken(
        **attempt,
        seconds=seconds,
        error=str(error) if error is not None else "the result was not kept",
        out_of_memory=isinstance(error, OutOfMemoryError),
    )


def _stored_name(session_id: str, number: int) -> str:
    """Return where the session's history keeps a result, within the trial's folder."""
    return str(Path("sessions") / session_id / f"{number:06d}.wav")
