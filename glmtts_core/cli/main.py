"""The command line: speak, read, run batches, clean up, check all, see to the checkpoint."""

from __future__ import annotations

import argparse
import http.client
import ipaddress
import json
import locale
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from glmtts_core.catalogue import Language, text
from glmtts_core.cli.batch import run_batch
from glmtts_core.cli.batch_options import add_batch_command
from glmtts_core.cli.combinations import refuse_without
from glmtts_core.cli.doctor import APP_URL, doctor
from glmtts_core.cli.read import add_read_command, read
from glmtts_core.cli.say import (
    add_say_command,
    add_speaker_options,
    reference_of,
    refuse_voice_and_recording,
    say,
)
from glmtts_core.cli.stop import Stopped, raised_stop_requests
from glmtts_core.ending import STOPPED
from glmtts_core.engines.available import EngineFactory
from glmtts_core.errors import GLMTTSError
from glmtts_core.settings import PREFIX, Settings, load_settings

#: Seconds to wait for the app's answer; a little over what its route waits for a safe point.
_HTTP_TIMEOUT_S: Final = 40.0


def main(arguments: Sequence[str] | None = None, *engine_factories: EngineFactory) -> int:
    """Run one command; return the exit code: 0 done, 1 failed, 2 wrong usage, 130 stopped.

    Args:
        arguments: of the command line; None takes the process's own.
        engine_factories: of the engines; none takes those that are on offer here.
    """
    options = _parser().parse_args(arguments)
    if getattr(options, "cpu", False):
        os.environ[f"{PREFIX}DEVICE"] = "cpu"
    language: Language = "en"
    try:
        settings = load_settings()
        language = _language(settings)
        return _run(options, settings, language, engine_factories)
    except GLMTTSError as error:
        print(error.text(language), file=sys.stderr)
        return 1


def _run(
    options: argparse.Namespace,
    settings: Settings,
    language: Language,
    engine_factories: Sequence[EngineFactory],
) -> int:
    match options.command:
        case "say":
            return say(options, settings, language, engine_factories)
        case "read":
            return read(options, settings, language)
        case "batch":
            return run_batch(options, settings, language, engine_factories)
        case "doctor":
            return _doctor(options, settings, language, engine_factories)
        case "cleanup":
            return _cleanup(options, settings, language)
    of_checkpoint = _parity if options.command == "parity" else _see_to_checkpoint
    return of_checkpoint(options, settings, language)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="glmtts_inference.py", description="GLM-TTS Studio on the command line."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    add_say_command(commands)
    add_read_command(commands)
    add_batch_command(commands)
    check = commands.add_parser("doctor", help="check that everything works on this machine")
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.add_argument("--url", default=APP_URL, help="where an app may be running")
    add_speaker_options(check)
    check.add_argument("--cpu", action="store_true", help="do not use a GPU")
    cleanup = commands.add_parser("cleanup", help="ask a running app to give memory back")
    cleanup.add_argument("--url", default=APP_URL, help="address of the app")
    cleanup.add_argument("--level", choices=["trim", "offload", "unload"], default="trim")
    cleanup.add_argument("--force", action="store_true", help="unload though others' jobs wait")
    parity = commands.add_parser("parity", help="compare GLM-TTS with its reference, for a report")
    parity.add_argument("--cpu", action="store_true", help="do not use a GPU")
    parity.add_argument(
        "--no-rehearsal", action="store_true", help="leave out the official size (9 GB of memory)"
    )
    there = commands.add_parser("check", help="say what is there of the GLM-TTS checkpoint")
    fetched = commands.add_parser("download", help="fetch the GLM-TTS checkpoint, or go on with it")
    fetched.add_argument(
        "--source", choices=["huggingface", "modelscope"], default="huggingface", help="the site"
    )
    for each in (there, fetched):
        each.add_argument("--ckpt", type=Path, help="its folder (default: GLMTTS_CKPT)")
    return parser


def _language(settings: Settings) -> Language:
    if settings.language != "auto":
        return settings.language
    # the environment first: the C library knows only locales that are installed
    named = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return "zh" if (named or locale.getlocale()[0] or "").lower().startswith("zh") else "en"


def _doctor(
    options: argparse.Namespace,
    settings: Settings,
    language: Language,
    engine_factories: Sequence[EngineFactory],
) -> int:
    refuse_voice_and_recording(options)
    try:
        with raised_stop_requests():
            return doctor(
                settings,
                language,
                engine_factories,
                as_json=options.json,
                url=options.url,
                engine=options.engine,
                reference=reference_of(options, settings.max_reference_s),
            )
    except Stopped:
        return STOPPED


def _parity(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    from glmtts_core.cli.parity import print_parity  # heavy: it brings PyTorch

    return print_parity(settings, language, rehearse=not options.no_rehearsal)


def _see_to_checkpoint(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    from glmtts_core.cli.checkpoint import check, fetch_checkpoint  # heavy: it brings PyTorch

    folder = options.ckpt or settings.ckpt
    if options.command == "check":
        return check(folder, language)
    return fetch_checkpoint(folder, options.source, language)


def _cleanup(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    refuse_without("--level unload", options.level == "unload", "--force", options.force)
    body = json.dumps({"level": options.level, "force": options.force}).encode()
    headers = {"Content-Type": "application/json", "Accept-Language": language}
    if settings.api_token is not None:
        headers["Authorization"] = f"Bearer {settings.api_token.get_secret_value()}"
    url = options.url.rstrip("/") + "/api/cleanup"
    try:
        # the user's own command line names the address, so any scheme it asks for is its own wish
        request = urllib.request.Request(url, body, headers, method="POST")
        with _opener(url).open(request, timeout=_HTTP_TIMEOUT_S) as response:
            answer = _object(response.read())
    except urllib.error.HTTPError as error:
        print(_refusal(error), file=sys.stderr)
        return 1
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        print(text("cli.no_app", language, url=options.url, reason=reason), file=sys.stderr)
        return 1
    print(answer.get("message") or json.dumps(answer, ensure_ascii=False, indent=2))
    return 0


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Return what opens ``url``; a proxy of the environment leads nowhere from this machine to it.

    Raises:
        ValueError: ``url`` is none.
    """
    host = urlsplit(url).hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    proxies = urllib.request.ProxyHandler({} if local else None)
    return urllib.request.build_opener(proxies)


def _object(body: bytes) -> dict[str, Any]:
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise ValueError(f"an unexpected answer: {answer!r:.80}")  # noqa: TRY004 - data, not a type
    return answer


def _refusal(error: urllib.error.HTTPError) -> str:
    try:
        return str(_object(error.read())["error"])
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return f"{error.code} {error.reason}"
