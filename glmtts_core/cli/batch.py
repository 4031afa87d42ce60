"""The command ``batch``: speak a file of lines into a folder, over the same runs as the page."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from glmtts_core.batch.dry_run import check_defaults, dry_run
from glmtts_core.batch.header import HEADER_FILE
from glmtts_core.batch.lines import BatchInput, LineProblem, RunDefaults
from glmtts_core.batch.references import ReferenceFolder
from glmtts_core.batch.registry import Batches, batches_of
from glmtts_core.batch.results import write_results
from glmtts_core.batch.rows import read_batch
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import LineState, RunState, RunView
from glmtts_core.catalogue import Language, text
from glmtts_core.cli.batch_options import (
    defaults_of,
    differences,
    policy_of,
    refuse_meaningless,
)
from glmtts_core.cli.paths import read_file, refuse_unusable_folder, shown
from glmtts_core.cli.say import tell_unused_seed
from glmtts_core.cli.stop import stop_requests
from glmtts_core.ending import STOPPED
from glmtts_core.engines.available import EngineFactory
from glmtts_core.errors import BatchError, SynthesisCancelled
from glmtts_core.files import scratch_folder
from glmtts_core.settings import Settings
from glmtts_core.studio.studio import Studio

#: Bad lines that are told one by one; the manifest has all.
_TOLD: Final = 20
_MIB: Final = 2**20
#: Exit codes.
_ALL_DONE, _SOME_FAILED = 0, 1


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
    refuse_meaningless(options)
    raw = read_file(options.file, "cli.no_file")
    if not raw.strip():
        raise BatchError("batch.file.empty")
    refuse_unusable_folder(options.out)
    if options.references is not None and not options.references.is_dir():
        reason = os.strerror(errno.ENOTDIR)
        raise BatchError("cli.no_folder", path=shown(options.references), reason=reason)
    resumes = (options.out / HEADER_FILE).exists()
    if resumes and not options.resume:
        raise BatchError("batch.run.exists", folder=shown(options.out))
    if not resumes:
        _refuse_without_run(options)
    with scratch_folder() as scratch, stop_requests() as stop_requested:
        studio = Studio(settings.model_copy(update={"output_dir": scratch}), *engine_factories)
        try:
            batches = batches_of(studio)
            make = _resumed if resumes else _made
            run = make(batches, _Command(options, raw, studio, stop_requested, language))
            _tell_unused_seed(run, studio, options, language)
            _tell_problems(run.problems, language)
            _tell_lost(run.view().lost, language)
            _start(run, retry_failed=resumes and options.retry_failed)
            _follow(run, stop_requested, language)
            for message in studio.engines.messages:
                print(message.text(language), file=sys.stderr)
            write_results(run, language)
            return _tell_end(run, language)
        except SynthesisCancelled as cancelled:
            print(cancelled.text(language), file=sys.stderr)
            return STOPPED
        finally:
            studio.close()


@dataclass(frozen=True, slots=True)
class _Command:
    """What the command works with: options, file, studio, how it may stop, and its language."""

    options: argparse.Namespace
    raw: bytes
    studio: Studio
    stop_requested: Callable[[], bool]
    language: Language


def _refuse_without_run(options: argparse.Namespace) -> None:
    """Refuse what is asked of a run where there is none: the folder's name may be mistyped."""
    given = {"--override": options.override, "--retry-failed": options.retry_failed}
    for option in filter(given.get, given):
        raise BatchError("cli.batch_no_run", option=option, folder=shown(options.out))


def _made(batches: Batches, command: _Command) -> BatchRun:
    options = command.options
    defaults = defaults_of(options, command.studio.engines)
    # no folder was named: no recording can be found
    references = ReferenceFolder(options.references or options.out / "references")
    return batches.create(
        shown(Path(options.file.name)),
        command.raw,
        _checked(command, defaults, references),
        defaults,
        policy=policy_of(options),
        references=options.references,
        folder=options.out,
    )


def _resumed(batches: Batches, command: _Command) -> BatchRun:
    options, raw, engines = command.options, command.raw, command.studio.engines
    run = batches.open(options.out)
    header = run.store.header
    # a run may have left its engine open; one that is gone cannot carry it on
    engine = header.defaults.engine
    if engine in engines.names or options.engine is None:
        engine = engines.find(engine).capabilities.engine
    before = header.defaults.changed(engine=engine), header.policy
    after = defaults_of(options, engines, before[0]), policy_of(options, header.policy)
    differing = differences(before, after)
    if differing and not options.override:
        folder = shown(options.out)
        raise BatchError("cli.batch_differs", folder=folder, differences=differing)
    if after[0].engine == engine:
        after = after[0].changed(engine=header.defaults.engine), after[1]
    if differing or options.references is not None or raw != run.store.read_input():
        named = options.references
        references = run.store.references if named is None else ReferenceFolder(named)
        batch = _checked(command, after[0], references)
        run.amend(raw, batch, options.references, *(after if differing else ()))
    return run


def _tell_unused_seed(
    run: BatchRun, studio: Studio, options: argparse.Namespace, language: Language
) -> None:
    capabilities = studio.engines.find(run.store.header.defaults.engine).capabilities
    tell_unused_seed(options.seed, capabilities, language)


def _start(run: BatchRun, *, retry_failed: bool) -> None:
    if retry_failed:
        run.retry_failed()
    else:
        run.start()


def _checked(command: _Command, defaults: RunDefaults, references: ReferenceFolder) -> BatchInput:
    """Return the file's lines as checked against the engine and the recordings.

    Raises:
        SynthesisCancelled: the command is to stop.
        GLMTTSError: what holds for all lines cannot be done, or the file cannot be read.
    """

    def stop_where_asked(_: float = 1.0) -> None:
        if command.stop_requested():
            raise SynthesisCancelled("engine.cancelled")

    settings = command.studio.settings
    capabilities = command.studio.engines.find(defaults.engine).capabilities
    check_defaults(defaults, capabilities, references)
    batch = read_batch(command.raw, shown(Path(command.options.file.name)))
    checked = dry_run(batch, defaults, references, capabilities, settings, stop_where_asked)
    stop_where_asked()
    for hint in checked.hints[:_TOLD]:
        print(hint.text(command.language), file=sys.stderr)
    if len(checked.hints) > _TOLD:
        more = len(checked.hints) - _TOLD
        print(text("batch.hints_more", command.language, count=more), file=sys.stderr)
    return checked


def _tell_problems(problems: tuple[LineProblem, ...], language: Language) -> None:
    for problem in problems[:_TOLD]:
        reason = problem.message.text(language)
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
            folder=shown(run.store.folder),
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
        return _SOME_FAILED if view.reason is not None else STOPPED
    if view.reason is not None:
        return _SOME_FAILED
    return _ALL_DONE if counts.done == counts.total else _SOME_FAILED
