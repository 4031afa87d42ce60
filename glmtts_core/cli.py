"""The command line: speak, run batches, clean up, check all, see to the checkpoint."""

from __future__ import annotations

import argparse
import http.client
import ipaddress
import json
import locale
import os
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from glmtts_core.audio import decode
from glmtts_core.catalogue import Language, text
from glmtts_core.cli_batch import add_batch_command, run_batch
from glmtts_core.cli_stop import stop_requests
from glmtts_core.doctor import APP_URL, doctor
from glmtts_core.engines.available import EngineFactory
from glmtts_core.engines.base import ReferenceAudio, SynthesisRequest
from glmtts_core.errors import GLMTTSError, StorageError, TextError
from glmtts_core.jobs import Job, JobState
from glmtts_core.session import Session, new_session_id, take_lease
from glmtts_core.settings import PREFIX, Settings, load_settings
from glmtts_core.studio import Studio

MIB: Final = 2**20
#: Seconds to wait for the app's answer; a little over what its route waits for a safe point.
_HTTP_TIMEOUT_S: Final = 40.0


def main(arguments: Sequence[str] | None = None, *engine_factories: EngineFactory) -> int:
    """Run one command; return the exit code: 0 done, 1 failed, 2 wrong usage, 130 cancelled.

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
            return _say(options, settings, language, engine_factories)
        case "batch":
            return run_batch(options, settings, language, engine_factories)
        case "doctor":
            url, as_json = options.url, options.json
            return doctor(settings, language, engine_factories, as_json=as_json, url=url)
        case "cleanup":
            return _cleanup(options, settings, language)
        case "parity":
            return _parity(options, settings, language)
    return _see_to_checkpoint(options, settings, language)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="glmtts_inference.py", description="GLM-TTS Studio on the command line."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    say = commands.add_parser("say", help="speak a text to a WAV file")
    say.add_argument("text", help="what to say; - reads it from the standard input")
    say.add_argument("--out", type=Path, required=True, help="the WAV file to write")
    say.add_argument("--voice", help="one of the engine's voices (default: the first)")
    say.add_argument("--speed", type=float, default=1.0, help="1.0 is natural")
    say.add_argument("--sample-rate", type=int, default=24_000, help="24000 or 32000")
    say.add_argument("--engine", help="GLM-TTS or Kokoro-82M (default: GLM-TTS where it is there)")
    say.add_argument("--reference", type=Path, help="a recording whose voice GLM-TTS clones")
    say.add_argument("--reference-text", help="what is said in the recording")
    say.add_argument("--seed", type=int, help="the same seed gives the same audio")
    say.add_argument("--sampling", help="how speech tokens are drawn: ras or topk")
    say.add_argument("--cpu", action="store_true", help="do not use a GPU")
    add_batch_command(commands)
    check = commands.add_parser("doctor", help="check that everything works on this machine")
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.add_argument("--url", default=APP_URL, help="where an app may be running")
    check.add_argument("--cpu", action="store_true", help="do not use a GPU")
    cleanup = commands.add_parser("cleanup", help="ask a running app to give memory back")
    cleanup.add_argument("--url", default=APP_URL, help="address of the app")
    cleanup.add_argument("--level", choices=["trim", "unload"], default="trim")
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


def _parity(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    from glmtts_core.cli_parity import print_parity  # heavy: it brings PyTorch

    return print_parity(settings, language, rehearse=not options.no_rehearsal)


def _see_to_checkpoint(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    from glmtts_core.cli_checkpoint import check, fetch_checkpoint  # heavy: it brings PyTorch

    folder = options.ckpt or settings.ckpt
    if options.command == "check":
        return check(folder, language)
    return fetch_checkpoint(folder, options.source, language)


def _say(
    options: argparse.Namespace,
    settings: Settings,
    language: Language,
    engine_factories: Sequence[EngineFactory],
) -> int:
    spoken = _standard_input() if options.text == "-" else options.text
    _refuse_unwritable(options.out)
    with tempfile.TemporaryDirectory() as scratch, stop_requests() as stop_requested:
        studio = Studio(
            settings.model_copy(update={"output_dir": Path(scratch)}), *engine_factories
        )
        try:
            session = Session(studio, new_session_id())
            # without a lease the session, and a result that is in memory only, ends with its job
            take_lease(studio, session.id)
            job = session.submit(_request(options, spoken, studio))
            _show_progress(job, stop_requested, language)
            return _write_result(session, job, options.out, language)
        finally:
            studio.close()


def _request(options: argparse.Namespace, spoken: str, studio: Studio) -> SynthesisRequest:
    reference = None
    if options.reference is not None:
        reference = _reference(options, studio.settings.max_reference_s)
    engine = studio.engines.find(options.engine)
    voices = engine.capabilities.voices
    voice = options.voice
    if voice is None and reference is None and voices:
        voice = voices[0].id
    return SynthesisRequest(
        spoken,
        voice,
        options.sample_rate,
        options.speed,
        seed=options.seed,
        sampling=options.sampling,
        reference=reference,
        engine=engine.capabilities.engine,
    )


def _reference(options: argparse.Namespace, max_s: float) -> ReferenceAudio:
    path: Path = options.reference
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageError("cli.no_file", path=path, reason=error.strerror or error) from error
    audio = decode(data, path.name, max_s=max_s)
    return ReferenceAudio(
        audio.samples, audio.sample_rate_hz, path.name, options.reference_text or ""
    )


def _show_progress(job: Job, stop_requested: Callable[[], bool], language: Language) -> None:
    shown = ""
    while not job.wait(0.2):
        if stop_requested():
            job.cancel()
        view = job.view()
        stage = text(f"stage.{view.progress.stage}", language)
        line = f"{stage} {view.progress.fraction:.0%}"
        if line != shown and sys.stderr.isatty():
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
            shown = line
    if shown:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _write_result(session: Session, job: Job, out: Path, language: Language) -> int:
    view = job.view()
    if view.error is not None:
        print(view.error.text(language), file=sys.stderr)
        return 130 if view.state is JobState.CANCELLED else 1
    record = view.record
    if record is None:
        raise AssertionError("a finished synthesis has a record")
    try:
        out.write_bytes(session.history.wav(record.number))
    except OSError as error:
        raise StorageError("cli.cannot_write", path=out, reason=error.strerror or error) from error
    cost = record.memory_cost
    print(
        text(
            "cli.said",
            language,
            path=out,
            audio_s=f"{record.audio_s:.2f}",
            seconds=f"{record.seconds:.2f}",
            rtf=f"{record.rtf:.2f}",
            before=f"{cost.before.resident_set_bytes / MIB:.0f}",
            peak=f"{cost.peak.resident_set_bytes / MIB:.0f}",
            after=f"{cost.after.resident_set_bytes / MIB:.0f}",
        )
    )
    return 0


def _standard_input() -> str:
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise TextError("text.not_unicode") from error


def _refuse_unwritable(out: Path) -> None:
    """Fail before the synthesis, not after it."""
    folder = out.parent
    written = out if out.exists() else folder
    if not folder.is_dir() or out.is_dir() or not os.access(written, os.W_OK):
        raise StorageError("cli.cannot_write", path=out, reason=f"{folder}/")


def _cleanup(options: argparse.Namespace, settings: Settings, language: Language) -> int:
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
