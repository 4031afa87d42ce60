"""What ``batch`` tells: faults and hints before, progress meanwhile, and how it ended."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import LineState, RunState, RunView
from glmtts_core.batch_files.lines import BatchInput
from glmtts_core.byte_units import MIB
from glmtts_core.catalogue import Language, text
from glmtts_core.cli.paths import shown
from glmtts_core.cli.terminal import StatusLine
from glmtts_core.ending import STOPPED

#: Lines that are shown one by one; the manifest has all.
_TOLD: Final = 20
#: What the ending of a file's name tells: its layout and the separator of its columns.
_TOLD_BY_NAME: Final = {".jsonl": ("jsonl", ""), ".csv": ("csv", ","), ".tsv": ("tsv", "\t")}
#: Exit codes.
_ALL_DONE, _SOME_FAILED = 0, 1


def tell_layout(batch: BatchInput, file: Path, language: Language) -> None:
    """Say what the file was taken for, unless its name says so, and what was noticed about it."""
    if (batch.format, batch.separator) != _TOLD_BY_NAME.get(file.suffix.lower()):
        layout = batch.taken_for.text(language)
        facts = {"layout": layout, "encoding": batch.encoding, "count": f"{batch.total:,}"}
        name = shown(Path(file.name))
        print(text("cli.batch_read", language, name=name, **facts), file=sys.stderr)
    for note in batch.notes:
        print(note.text(language), file=sys.stderr)


def tell_hints(batch: BatchInput, language: Language) -> None:
    """Say what would make voices better."""
    for hint in batch.hints[:_TOLD]:
        print(hint.text(language), file=sys.stderr)
    if len(batch.hints) > _TOLD:
        more = len(batch.hints) - _TOLD
        print(text("batch.hints_more", language, count=more), file=sys.stderr)


def tell_run(run: BatchRun, language: Language) -> None:
    """Say which lines are set aside, and how many sounds of done lines are gone."""
    for problem in run.lines.problems(limit=_TOLD):
        _tell_line(problem.number, problem.message.text(language), language)
    view = run.view()
    if view.counts.set_aside > _TOLD:
        more = view.counts.set_aside - _TOLD
        print(text("cli.batch_more_problems", language, count=more), file=sys.stderr)
    if view.standing.lost:
        print(text("batch.run.lost", language, count=view.standing.lost), file=sys.stderr)


def follow(run: BatchRun, stop_requested: Callable[[], bool], language: Language) -> None:
    """Show the progress until the run does not go on any more; interrupt it where asked."""
    with StatusLine() as status:
        while not run.wait(0.2):
            if stop_requested():
                run.interrupt()
            view = run.view()
            counts = view.counts
            total = counts.total - counts.set_aside
            status.update(_progress(view, total, language), counts.done / max(total, 1))


def tell_end(run: BatchRun, language: Language) -> int:
    """Say what came of it; return the exit code."""
    view = run.view()
    counts = view.counts
    for row in run.lines.rows({LineState.FAILED}, limit=_TOLD):
        reason = row.status.reason
        _tell_line(row.line.number, reason.text(language) if reason else "", language)
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
            audio_s=f"{view.standing.audio_s:.1f}",
            seconds=f"{view.active_s:.1f}",
            cleanups=view.standing.cleanups,
            regained=f"{view.standing.regained_bytes / MIB:.0f}",
        )
    )
    if view.state is not RunState.FINISHED:
        print(text("cli.batch_resume", language), file=sys.stderr)
        return _SOME_FAILED if view.reason is not None else STOPPED
    if view.reason is not None:
        return _SOME_FAILED
    return _ALL_DONE if counts.done == counts.total else _SOME_FAILED


def _tell_line(number: int, reason: str, language: Language) -> None:
    print(text("cli.batch_line", language, number=number, reason=reason), file=sys.stderr)


def _progress(view: RunView, total: int, language: Language) -> str:
    return text(
        "cli.batch_progress",
        language,
        done=view.counts.done,
        total=total,
        failed=view.counts.failed,
        pace="–" if view.lines_per_min is None else f"{view.lines_per_min:.1f}",
        eta="–" if view.eta_s is None else f"{view.eta_s:.0f}",
    )
