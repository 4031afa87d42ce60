"""``doctor``: the self-check on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from glmtts_core.api.route_check import ask_app, ask_routes
from glmtts_core.catalogue import Language
from glmtts_core.cli.recording import Recording
from glmtts_core.cli.stop import Stopped, raised_stop_requests
from glmtts_core.cli.task import Invocation
from glmtts_core.cli.terminal import show
from glmtts_core.diagnostics.self_check import TEXT, self_check
from glmtts_core.diagnostics.self_check_results import CheckResult, Light, SelfCheck
from glmtts_core.ending import STOPPED
from glmtts_core.engines.checks import check_choices
from glmtts_core.files import scratch_folder
from glmtts_core.studio.studio import Studio

#: The word before each result, and its style on a terminal.
_LAMPS: Final = {
    Light.GREEN: ("ok  ", "green"),
    Light.AMBER: ("note", "yellow"),
    Light.RED: ("FAIL", "bold red"),
}


def check_all(
    url: str, engine: str | None, recording: Recording | None, as_json: bool, invocation: Invocation
) -> int:
    """Check everything and print it; return the exit code: 1 where something failed, else 0.

    Args:
        url: where an app may be running; where none is, the routes are asked without one.
        engine: which engine speaks; None takes the preferred one.
        recording: what to clone, for an engine that only clones.
        as_json: print one JSON object instead of lines.
        invocation: what the command is run with.

    Raises:
        RequestError: no engine has this name, or it cannot clone the recording.
    """
    language = invocation.language
    on_result = (lambda _: None) if as_json else _printer(language)
    try:
        with raised_stop_requests():
            checked = _checked(url, engine, recording, on_result, invocation)
    except Stopped:
        return STOPPED
    if as_json:
        print(json.dumps(checked.to_dict(language), ensure_ascii=False, indent=2))
    return 1 if checked.light is Light.RED else 0


def _checked(
    url: str,
    engine: str | None,
    recording: Recording | None,
    on_result: Callable[[CheckResult], None],
    invocation: Invocation,
) -> SelfCheck:
    settings = invocation.settings
    reference = None if recording is None else recording.audio(settings.max_reference_s)
    with scratch_folder() as scratch:
        scratched = settings.model_copy(update={"output_dir": scratch})
        studio = Studio(scratched, *invocation.engine_factories)
        try:
            capabilities = studio.engines.find(engine).capabilities
            request = capabilities.plain_request(TEXT, reference)
            check_choices(request, capabilities)
            return self_check(
                studio,
                lambda: ask_app(url, settings) or ask_routes(studio),
                folders=(settings.output_dir, settings.cache_dir),
                request=request,
                on_result=on_result,
            )
        finally:
            studio.close()


def _printer(language: Language) -> Callable[[CheckResult], None]:
    def print_one(result: CheckResult) -> None:
        mark, style = _LAMPS[result.light]
        words = f"  {result.name(language)}: {result.message.text(language)}"
        show(words, style, mark=mark)

    return print_one
