"""The self-check: does every part of the program work on this machine, and what to do if not.

Knows nothing about HTTP: the caller asks the routes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from glmtts_core.diagnostics.noted import noted
from glmtts_core.diagnostics.self_check_results import CheckResult, Light, SelfCheck, SelfCheckItem
from glmtts_core.diagnostics.self_check_steps import EngineChecks, check_disk
from glmtts_core.engines.base import CancelToken
from glmtts_core.errors import GLMTTSError
from glmtts_core.message import Message
from glmtts_core.sessions.events import ExperimentKind
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.studio import Studio

#: Long enough to need memory worth giving back; both languages that the built-in voice speaks.
TEXT: Final = "今天天气很好，我们一起去公园散步吧。The river was quiet, and the boats came home."
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
        ask_routes: asks the HTTP routes.
        folders: what must be writable; None takes those of the studio's settings.
        request: what to speak, and by which engine; None has the preferred one speak `TEXT`.
            A request without a voice and a recording is not spoken.
        on_result: receives each result as it comes.
        cancel: the wish to stop.

    Raises:
        SynthesisCancelled: the stop was asked for.
    """
    stop = cancel or CancelToken()
    disk = folders or (studio.settings.output_dir, studio.settings.cache_dir)
    asked = request or studio.engine.capabilities.plain_request(TEXT)
    checks = EngineChecks(studio, asked, stop)
    engine = studio.engines.find(asked.engine).capabilities.engine
    results = []
    with noted(studio, ExperimentKind.SELF_CHECK, engine), checks.lease():
        for item, step in _steps(disk, checks, ask_routes).items():
            stop.raise_if_cancelled()
            result = _timed(item, step)
            stop.raise_if_cancelled()
            results.append(result)
            on_result(result)
    return SelfCheck(tuple(results))


def _steps(
    folders: Sequence[Path], checks: EngineChecks, ask_routes: AskRoutes
) -> dict[SelfCheckItem, Callable[[], CheckResult]]:
    """Return what is done for each item, in this order."""
    return {
        SelfCheckItem.DISK: lambda: check_disk(folders),
        SelfCheckItem.LOAD: checks.load,
        SelfCheckItem.SPEAK: checks.speak,
        SelfCheckItem.SOUND: checks.sound,
        SelfCheckItem.CLEANUP: checks.clean_up,
        SelfCheckItem.ROUTES: ask_routes,
    }


def _timed(item: SelfCheckItem, step: Callable[[], CheckResult]) -> CheckResult:
    started_s = time.perf_counter()
    try:
        result = step()
    except GLMTTSError as error:
        result = CheckResult(
            item, Light.RED, Message("self_check.failed", {"error": error.message})
        )
    return replace(result, seconds=time.perf_counter() - started_s)
