"""The command ``batch``: speak a file of lines into a folder, over the same runs as the page."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from glmtts_core.batch.dry_run import dry_run
from glmtts_core.batch.header import HEADER_FILE
from glmtts_core.batch.lines import BatchInput, LineProblem, RunDefaults
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.references import ReferenceFolder
from glmtts_core.batch.registry import Batches, batches_of
from glmtts_core.batch.results import write_results
from glmtts_core.batch.rows import read_batch
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import LineState, RunState, RunView
from glmtts_core.catalogue import Language, text
from glmtts_core.cli_stop import stop_requests
from glmtts_core.engines.available import EngineFactory
from glmtts_core.engines.base import Capabilities
from glmtts_core.errors import BatchError
from glmtts_core.settings import Settings
from glmtts_core.studio import Studio

#: Bad lines that are told one by one; the manifest has all.
_TOLD: Final = 20
_MIB: Final = 2**20
#: Exit codes.
_ALL_DONE, _SOME_FAILED, _STOPPED = 0, 1, 130


def add_batch_command(commands: Any) -> None:
    """Describe the command to the parser's ``commands`` (argparse names no type for them)."""
    batch: argparse.ArgumentParser = commands.add_parser(
        "batch", help="speak a JSONL, CSV or TSV file, a sound a line"
    )
    batch.add_argument("file", type=Path, help="the file of lines")
    batch.add_argument("--out", type=Path, required=True, help="the run's folder")
    batch.add_argument(
        "--resume",
        action="store_true",
        help="carry on the run in --out: what is done stays; the file may have been corrected",
    )
    batch.add_argument(
        "--retry-failed", action="store_true", help="with --resume: failed lines too"
    )
    batch.add_argument(
        "--engine", help="GLM-TTS or Kokoro-82M (default: GLM-TTS where it is there)"
    )
    batch.add_argument("--voice", help="for lines that name none (default: the engine's first)")
    batch.add_argument("--speed", type=float, default=1.0, help="for lines that name none")
    batch.add_argument("--sample-rate", type=int, default=24_000, help="for lines that name none")
    batch.add_argument("--seed", type=int, help="for lines that name none")
    batch.add_argument("--references", type=Path, help="folder of the recordings that lines name")
    batch.add_argument("--reference", help="recording in that folder for lines that name none")
    batch.add_argument("--reference-text", default="", help="what is said in it")
    batch.add_argument(
        "--cleanup",
        choices=["auto", "never"],
        default="auto",
        help="auto: give memory back at a threshold and after a failure",
    )
    batch.add_argument("--cleanup-every", type=int, metavar="K", help="... and after every K lines")
    batch.add_argument("--cpu", action="store_true", help="do not use a GPU")


def run_batch(
    options: argparse.Namespace,
    settings: Settings,
    language: Language,
    engine_factories: Sequence[EngineFactory],
) -> int:
    """Speak the file; return the exit code: 0 all done, 1 not all, 130 stopped.

    Raises:
        GLMTTSError: the file, the folder or the run cannot be used.
    """
    raw = _read(options.file)
    if not raw.strip():
        raise BatchError("batch.file.empty")
    resumes = (options.out / HEADER_FILE).exists()
    if resumes and not options.resume:
        raise BatchError("batch.run.exists", folder=options.out)
    with tempfile.TemporaryDirectory() as scratch, stop_requests() as stop_requested:
        studio = Studio(
            settings.model_copy(update={"output_dir": Path(scratch)}), *engine_factories
        )
        try:
            batches = batches_of(studio)
            make = _resumed if resumes else _made
            run = make(batches, options, raw, studio)
            _tell_problems(run.problems, language)
            _tell_lost(run.view().lost, language)
            _start(run, retry_failed=resumes and options.retry_failed)
            _follow(run, stop_requested, language)
            write_results(run, language)
            return _tell_end(run, language)
        finally:
            studio.close()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BatchError("cli.no_file", path=path, reason=error.strerror or error) from error


def _made(batches: Batches, options: argparse.Namespace, raw: bytes, studio: Studio) -> BatchRun:
    defaults = _defaults(options, studio.engines.find(options.engine).capabilities)
    return batches.create(
        options.file.name,
        raw,
        _checked(options, raw, defaults, studio),
        defaults,
        policy=_policy(options),
        references=options.references,
        folder=options.out,
    )


def _resumed(batches: Batches, options: argparse.Namespace, raw: bytes, studio: Studio) -> BatchRun:
    run = batches.open(options.out)
    if raw != _read(run.store.input_path) or options.references is not None:
        batch = _checked(options, raw, run.store.header.defaults, studio, run)
        run.amend(raw, batch, options.references)
    return run


def _start(run: BatchRun, *, retry_failed: bool) -> None:
    if retry_failed:
        run.retry_failed()
    else:
        run.start()


def _defaults(options: argparse.Namespace, capabilities: Capabilities) -> RunDefaults:
    voice = options.voice
    if voice is None and options.reference is None and capabilities.voices:
        voice = capabilities.voices[0].id
    return RunDefaults(
        engine=options.engine,
        voice=voice,
        speed=options.speed,
        sample_rate_hz=options.sample_rate,
        seed=options.seed,
        reference_name=options.reference,
        reference_text=options.reference_text,
    )


def _policy(options: argparse.Namespace) -> CleanupPolicy:
    policy = CleanupPolicy.never() if options.cleanup == "never" else CleanupPolicy()
    if options.cleanup_every is None:
        return policy
    if options.cleanup_every < 1:
        raise BatchError("cli.cleanup_every", given=options.cleanup_every)
    return replace(policy, every_lines=options.cleanup_every)


def _checked(
    options: argparse.Namespace,
    raw: bytes,
    defaults: RunDefaults,
    studio: Studio,
    run: BatchRun | None = None,
) -> BatchInput:
    """Return the file's lines as checked against the engine and the recordings."""
    if options.references is not None:
        references = ReferenceFolder(options.references)
    elif run is not None:
        references = run.store.references
    else:
        # no folder was named, so that no recording can be found
        references = ReferenceFolder(options.out / "references")
    batch = read_batch(raw, options.file.name)
    capabilities = studio.engines.find(defaults.engine).capabilities
    return dry_run(batch, defaults, references, capabilities, studio.settings)


def _tell_problems(problems: tuple[LineProblem, ...], language: Language) -> None:
    for problem in problems[:_TOLD]:
        reason = problem.text(language)
        told = text("cli.batch_line", language, number=problem.number, reason=reason)
        print(told, file=sys.stderr)
    if len(problems) > _TOLD:
        more = len(problems) - _TOLD
        print(text("cli.batch_more_problems", language, count=more), file=sys.stderr)


def _tell_lost(count: int, language: Language) -> None:
    if count:
        print(text("batch.run.lost", language, count=count), file=sys.stderr)


def _follow(run: BatchRun, stop_requested: Callable[[], bool], language: Language) -> None:
    shown = ""
    while not run.wait(0.2):
        if stop_requested():
            run.interrupt()
        line = _progress(run.view(), language)
        if line != shown and sys.stderr.isatty():
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
            shown = line
    if shown:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _progress(view: RunView, language: Language) -> str:
    counts = view.counts
    return text(
        "cli.batch_progress",
        language,
        done=counts.done,
        total=counts.total - counts.set_aside,
        failed=counts.failed,
        pace="–" if view.lines_per_min is None else f"{view.lines_per_min:.1f}",
        eta="–" if view.eta_s is None else f"{view.eta_s:.0f}",
    )


def _tell_end(run: BatchRun, language: Language) -> int:
    view = run.view()
    counts = view.counts
    for row in run.rows({LineState.FAILED}, limit=_TOLD):
        reason = row.status.reason.text(language) if row.status.reason else ""
        print(
            text("cli.batch_line", language, number=row.line.number, reason=reason),
            file=sys.stderr,
        )
    if view.reason is not None:
        print(view.reason.text(language), file=sys.stderr)
    print(
        text(
            "cli.batch_ended",
            language,
            folder=run.store.folder,
            done=counts.done,
            total=counts.total,
            failed=counts.failed,
            set_aside=counts.set_aside,
            audio_s=f"{view.audio_s:.1f}",
            seconds=f"{view.active_s:.1f}",
            cleanups=view.cleanups,
            regained=f"{view.regained_bytes / _MIB:.0f}",
        )
    )
    if view.state is not RunState.FINISHED:
        print(text("cli.batch_resume", language), file=sys.stderr)
        return _SOME_FAILED if view.reason is not None else _STOPPED
    if view.reason is not None:
        return _SOME_FAILED
    return _ALL_DONE if counts.done == counts.total else _SOME_FAILED
