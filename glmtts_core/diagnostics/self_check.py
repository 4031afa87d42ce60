"""Does everything work on this machine: a light for each part, and what to do if it is not green.

Knows nothing about HTTP: who runs the check says how the routes are asked.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from glmtts_core.catalogue import Language, text
from glmtts_core.diagnostics.quality import Verdict, assess
from glmtts_core.engines.base import CancelToken, SynthesisRequest, SynthesisResult
from glmtts_core.errors import GLMTTSError, StorageError
from glmtts_core.files import write_whole
from glmtts_core.memory.advisor import WORTH_BYTES
from glmtts_core.memory.cleanup import CleanupLevel, CleanupReport
from glmtts_core.message import Message
from glmtts_core.sessions.session import new_session_id, take_lease
from glmtts_core.studio.jobs import Job
from glmtts_core.studio.studio import Studio

MIB: Final = 2**20
GIB: Final = 2**30
#: What regained over promised may be: the promise on the CPU is an estimate, and its benchmark
#: (`benchmarks/growth.py`) asks for the same.
KEPT: Final = (0.8, 1.2)
#: On CUDA the promise is exact but for what the driver rounds to its pages of 2 MiB.
KEPT_EXACT: Final = (0.95, 1.05)
#: With less free disk, results soon cannot be saved: an hour of speech takes 170 MB.
LOW_DISK_BYTES: Final = GIB
#: Long enough to need memory worth giving back; both languages that the built-in voice speaks.
TEXT: Final = "今天天气很好，我们一起去公园散步吧。The river was quiet, and the boats came home."
_PROBE_NAME: Final = ".self-check"
_POLL_S: Final = 0.2
#: Seconds within which a cleanup must have come to its turn.
_CLEANUP_S: Final = 60.0


class Light(StrEnum):
    """How a check came out; the later ones are worse."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Check(StrEnum):
    """What is checked, in this order."""

    DISK = "disk"
    LOAD = "load"
    SPEAK = "speak"
    SOUND = "sound"
    CLEANUP = "cleanup"
    ROUTES = "routes"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check came out.

    Attributes:
        check: what was checked.
        light: the outcome.
        message: what was seen and, where not green, what to do.
        seconds: how long it took.
    """

    check: Check
    light: Light
    message: Message
    seconds: float = 0.0

    def name(self, language: Language) -> str:
        """Return what was checked."""
        return text(f"self_check.{self.check}", language)


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """All results, in the order of the checks."""

    results: tuple[CheckResult, ...]

    @property
    def light(self) -> Light:
        """The worst of all lights."""
        order = list(Light)
        return max((result.light for result in self.results), key=order.index)

    def to_dict(self, language: Language) -> dict[str, Any]:
        """Return plain values for JSON."""
        checks = [
            {
                "check": result.check.value,
                "light": result.light.value,
                "message": result.message.text(language),
                "seconds": round(result.seconds, 3),
            }
            for result in self.results
        ]
        return {"light": self.light.value, "checks": checks}


#: Asks the HTTP routes and returns the result; raises `GLMTTSError` where they do not answer.
AskRoutes = Callable[[], CheckResult]


def self_check(
    studio: Studio,
    ask_routes: AskRoutes,
    *,
    folders: Sequence[Path] | None = None,
    request: SynthesisRequest | None = None,
    on_result: Callable[[CheckResult], None] = lambda _: None,
    cancel: CancelToken | None = None,
) -> SelfCheck:
    """Run all checks, one after the other. Blocks; not for a page's own thread.

    Args:
        studio: where it is spoken, in a session of its own that leaves nothing behind.
        ask_routes: how the routes are asked.
        folders: what must be writable; None takes those of the studio's settings.
        request: what to speak, and by which engine; None has the preferred one speak `TEXT`.
            What neither names a voice nor brings a recording is not spoken.
        on_result: receives each result as it comes.
        cancel: the wish to stop.

    Raises:
        SynthesisCancelled: the stop was asked for.
    """
    stop = cancel or CancelToken()
    settings = studio.settings
    run = _Run(studio, request, stop)
    steps: tuple[tuple[Check, Callable[[], CheckResult]], ...] = (
        (Check.DISK, lambda: _disk(folders or (settings.output_dir, settings.cache_dir))),
        (Check.LOAD, run.load),
        (Check.SPEAK, run.speak),
        (Check.SOUND, run.sound),
        (Check.CLEANUP, run.clean_up),
        (Check.ROUTES, ask_routes),
    )
    results = []
    with run.lease():
        for check, step in steps:
            stop.raise_if_cancelled()
            result = _timed(check, step)
            stop.raise_if_cancelled()
            results.append(result)
            on_result(result)
    return SelfCheck(tuple(results))


def _timed(check: Check, step: Callable[[], CheckResult]) -> CheckResult:
    started_s = time.perf_counter()
    try:
        result = step()
    except GLMTTSError as error:
        failed = Message("self_check.failed", {"error": error.message})
        result = CheckResult(check, Light.RED, failed)
    return replace(result, seconds=time.perf_counter() - started_s)


def _disk(folders: Sequence[Path]) -> CheckResult:
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
        return CheckResult(Check.DISK, Light.AMBER, Message("self_check.disk_low", {"free": free}))
    return CheckResult(Check.DISK, Light.GREEN, Message("self_check.disk_ok", {"free": free}))


class _Run:
    """The checks that build on each other: without an engine nothing is spoken, and so on."""

    def __init__(
        self,
        studio: Studio,
        request: SynthesisRequest | None,
        cancel: CancelToken,
    ) -> None:
        self._studio = studio
        self._request = request or studio.engine.capabilities.plain_request(TEXT)
        self._engine = studio.engines.find(self._request.engine).capabilities
        self._cancel = cancel
        self._id = new_session_id()
        self._loaded = False
        self._spoken: list[SynthesisResult] = []

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Hold the session of the check while inside; its caches go with it."""
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
            slower = Message("self_check.load_slower", {"engine": engine, "problem": messages[0]})
            return CheckResult(Check.LOAD, Light.AMBER, slower)
        loaded = Message("self_check.load_ok", {"engine": engine})
        return CheckResult(Check.LOAD, Light.GREEN, loaded)

    def speak(self) -> CheckResult:
        """Speak once; the result stays in memory."""
        if not self._loaded:
            return _skipped(Check.SPEAK)
        if self._request.voice is None and self._request.reference is None:
            return CheckResult(Check.SPEAK, Light.AMBER, Message("self_check.no_voice"))
        self._finish(self._studio.submit(self._id, self._request, keep=self._spoken.append))
        audio_s, seconds = self._spoken[0].audio.duration_s, self._spoken[0].seconds
        details = {"audio": f"{audio_s:.1f}", "seconds": f"{seconds:.1f}"}
        return CheckResult(Check.SPEAK, Light.GREEN, Message("self_check.speak_ok", details))

    def sound(self) -> CheckResult:
        """Look for faults in what was spoken."""
        if not self._spoken:
            return _skipped(Check.SOUND)
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
            faulty = Message("self_check.sound_faulty", details)
            return CheckResult(Check.SOUND, Light.RED, faulty)
        sound = Message("self_check.sound_ok", {"verdict": judged.message})
        return CheckResult(Check.SOUND, Light.GREEN, sound)

    def clean_up(self) -> CheckResult:
        """Clean up and compare what was promised with what came back."""
        if not self._loaded:
            return _skipped(Check.CLEANUP)
        report = self._studio.cleanup(CleanupLevel.TRIM, self._id).wait(_CLEANUP_S)
        if report is None:
            return CheckResult(Check.CLEANUP, Light.AMBER, Message("self_check.cleanup_waits"))
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
            Check.CLEANUP, Light.GREEN, Message("self_check.cleanup_little", details)
        )
    low, high = KEPT_EXACT if report.promised.exact else KEPT
    if low <= regained / promised <= high:
        return CheckResult(Check.CLEANUP, Light.GREEN, Message("self_check.cleanup_ok", details))
    return CheckResult(Check.CLEANUP, Light.AMBER, Message("self_check.cleanup_differs", details))


def _skipped(check: Check) -> CheckResult:
    return CheckResult(check, Light.AMBER, Message("self_check.skipped"))
