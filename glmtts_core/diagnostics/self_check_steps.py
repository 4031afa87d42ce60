"""The steps of a self-check on this machine: the disk, and an engine from loading to cleanup."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from glmtts_core.byte_units import GIB, MIB
from glmtts_core.diagnostics.quality import Verdict, assess
from glmtts_core.diagnostics.self_check_results import CheckResult, Light, SelfCheckItem
from glmtts_core.engines.base import CancelToken, SynthesisResult
from glmtts_core.errors import StorageError
from glmtts_core.files import write_whole
from glmtts_core.memory.advisor import WORTH_BYTES
from glmtts_core.memory.cleanup import CleanupLevel, CleanupReport
from glmtts_core.message import Message
from glmtts_core.sessions.events import AskedBy
from glmtts_core.sessions.session import new_session_id, take_lease
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.jobs import Job
from glmtts_core.studio.studio import Studio

#: What regained over promised may be: the promise on the CPU is an estimate, and its benchmark
#: (`benchmarks/growth.py`) asks for the same.
KEPT: Final = (0.8, 1.2)
#: On CUDA the promise is exact but for what the driver rounds to its pages of 2 MiB.
KEPT_EXACT: Final = (0.95, 1.05)
#: With less free disk, results soon cannot be saved: an hour of speech takes 170 MB.
LOW_DISK_BYTES: Final = GIB
_PROBE_NAME: Final = ".self-check"
_POLL_S: Final = 0.2
#: Seconds within which a cleanup must have run.
_CLEANUP_S: Final = 60.0


def check_disk(folders: Sequence[Path]) -> CheckResult:
    """Write, read back and remove a file in each folder, and look at what is free."""
    free_bytes = []
    for folder in folders:
        probe = folder / _PROBE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(probe, b"written")
            whole = probe.read_bytes() == b"written"
            probe.unlink()
            free_bytes.append(shutil.disk_usage(folder).free)
        except OSError as error:
            raise StorageError(
                "storage.write", folder=folder, reason=error.strerror or error
            ) from error
        if not whole:
            raise StorageError("storage.write", folder=folder, reason="read back differently")
    free = f"{min(free_bytes) / GIB:.1f}"
    if min(free_bytes) < LOW_DISK_BYTES:
        return CheckResult(
            SelfCheckItem.DISK, Light.AMBER, Message("self_check.disk_low", {"free": free})
        )
    return CheckResult(
        SelfCheckItem.DISK, Light.GREEN, Message("self_check.disk_ok", {"free": free})
    )


class EngineChecks:
    """The steps that need an engine; each is skipped where an earlier one failed.

    Args:
        studio: in whose engine a text is spoken.
        request: what to speak.
        cancel: the wish to stop.
    """

    def __init__(self, studio: Studio, request: SynthesisRequest, cancel: CancelToken) -> None:
        self._studio = studio
        self._request = request
        self._engine = studio.engines.find(self._request.engine).capabilities
        self._cancel = cancel
        self._id = new_session_id()
        self._loaded = False
        self._spoken: list[SynthesisResult] = []

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Hold the session of the self-check while inside; its caches end with it."""
        take_lease(self._studio, self._id)
        try:
            yield
        finally:
            self._studio.end_lease(self._id)

    def load(self) -> CheckResult:
        """Bring the weights into memory."""
        engine = self._engine.engine
        self._finish(self._studio.load(self._id, engine))
        self._loaded = True
        if messages := self._studio.engines.find(engine).messages:
            details = {"engine": engine, "problem": messages[0]}
            return CheckResult(
                SelfCheckItem.LOAD, Light.AMBER, Message("self_check.load_slower", details)
            )
        return CheckResult(
            SelfCheckItem.LOAD, Light.GREEN, Message("self_check.load_ok", {"engine": engine})
        )

    def speak(self) -> CheckResult:
        """Speak once; the result stays in memory."""
        if not self._loaded:
            return _skipped(SelfCheckItem.SPEAK)
        if self._request.voice is None and self._request.reference is None:
            return CheckResult(SelfCheckItem.SPEAK, Light.AMBER, Message("self_check.no_voice"))
        self._finish(self._studio.submit(self._id, self._request, keep=self._spoken.append))
        audio_s, seconds = self._spoken[0].audio.duration_s, self._spoken[0].seconds
        details = {"audio": f"{audio_s:.1f}", "seconds": f"{seconds:.1f}"}
        return CheckResult(
            SelfCheckItem.SPEAK, Light.GREEN, Message("self_check.speak_ok", details)
        )

    def sound(self) -> CheckResult:
        """Look for faults in what was spoken."""
        if not self._spoken:
            return _skipped(SelfCheckItem.SOUND)
        audio = self._spoken[0].audio
        # there is nothing to compare the pitch with
        judged = assess(
            audio.samples,
            audio.sample_rate_hz,
            meaningful=not self._engine.random_weights,
            pitch=False,
        )
        if judged.verdict is Verdict.FAULTY:
            details = {"finding": judged.findings[0].message, "count": len(judged.findings)}
            return CheckResult(
                SelfCheckItem.SOUND, Light.RED, Message("self_check.sound_faulty", details)
            )
        return CheckResult(
            SelfCheckItem.SOUND,
            Light.GREEN,
            Message("self_check.sound_ok", {"verdict": judged.message}),
        )

    def clean_up(self) -> CheckResult:
        """Clean up and compare what was promised with what came back."""
        if not self._loaded:
            return _skipped(SelfCheckItem.CLEANUP)
        report = self._studio.cleanup(
            CleanupLevel.TRIM, self._id, asked_by=AskedBy.SELF_CHECK
        ).wait(_CLEANUP_S)
        if report is None:
            return CheckResult(
                SelfCheckItem.CLEANUP, Light.AMBER, Message("self_check.cleanup_waits")
            )
        return judge_cleanup(report)

    def _finish(self, job: Job) -> None:
        while not job.wait(_POLL_S):
            if self._cancel.cancelled:
                job.cancel()
        error = job.view().error
        if error is not None:
            raise error


def judge_cleanup(report: CleanupReport) -> CheckResult:
    """Compare what a cleanup promised with what it gave back."""
    promised, regained = report.promised.bytes, report.regained_bytes
    details = {
        "promised": f"{promised / MIB:.0f}",
        "regained": f"{regained / MIB:.0f}",
        "seconds": f"{report.seconds:.2f}",
    }
    if promised < WORTH_BYTES:
        return CheckResult(
            SelfCheckItem.CLEANUP, Light.GREEN, Message("self_check.cleanup_little", details)
        )
    low, high = KEPT_EXACT if report.promised.exact else KEPT
    if low <= regained / promised <= high:
        return CheckResult(
            SelfCheckItem.CLEANUP, Light.GREEN, Message("self_check.cleanup_ok", details)
        )
    return CheckResult(
        SelfCheckItem.CLEANUP, Light.AMBER, Message("self_check.cleanup_differs", details)
    )


def _skipped(check: SelfCheckItem) -> CheckResult:
    return CheckResult(check, Light.AMBER, Message("self_check.skipped"))
