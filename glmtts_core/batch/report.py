"""``report.html``: one file that shows a run, with plots, failed lines and players.

Needs nothing from the network. Made part by part, so that the players' sound costs little memory;
what the page looks like is in ``report.html.jinja``.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from glmtts_core.batch.report_figures import memory_figure, speed_figure
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.run_files import AUDIO_FOLDER
from glmtts_core.batch.states import LineMemory, LineRow, LineState, LineStatus, RunView
from glmtts_core.batch_draft.hints import VoiceHints
from glmtts_core.batch_files.lines import LineProblem
from glmtts_core.byte_units import MIB
from glmtts_core.catalogue import Language
from glmtts_core.engines.kokoro.voices import VOICES
from glmtts_core.templates import render
from glmtts_core.text.reading import read_text

#: Bytes of sound that go into the page; what lies beyond is linked to the files beside it.
EMBED_LIMIT_BYTES: Final = 20 * 10**6


@dataclass(frozen=True, slots=True)
class _UnspokenLine:
    """A line that failed or was set aside before the run, and why."""

    number: int
    name: str
    text: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Line:
    """A row in the table of all lines.

    Attributes:
        left_out: what no voice can say.
        figures: seconds of sound and of work, RTF, memory and retries; "" for what is unknown.
        embedded_sound: the WAV file as base64; "" where it is linked or missing.
        linked_sound: name of the WAV file; "" where it is embedded or missing.
    """

    row: LineRow
    left_out: str
    figures: tuple[str, ...]
    embedded_sound: str
    linked_sound: str


def report(
    run: BatchRun, language: Language, embed_limit_bytes: int = EMBED_LIMIT_BYTES
) -> Iterator[str]:
    """Return the page part by part.

    Args:
        run: what is reported; an unfinished one is shown as it is now.
        language: of the page.
        embed_limit_bytes: how much sound goes into the page itself.

    Raises:
        StorageError: the run cannot be read.
        OSError: a sound cannot be read; raised while the parts are read.
    """
    view = run.view()
    rows = run.lines.rows()
    return render(
        "batch/report.html.jinja",
        language,
        view=view,
        figures=_figures(view),
        plots={
            "memory": memory_figure(rows, run.lines.cleanups_s(), language),
            "speed": speed_figure(rows, language),
        },
        unspoken=_unspoken(rows, run.lines.problems(), language),
        voice_hints=_voice_hints(rows, language),
        lines=_lines(run, rows, embed_limit_bytes),
        audio_folder=AUDIO_FOLDER,
    )


def _figures(view: RunView) -> dict[str, str]:
    """Return the figures at the top of the page."""
    counts = view.counts
    rate = counts.success_rate
    return {
        "done": f"{counts.done} / {counts.total}",
        "failed": str(counts.failed),
        "set_aside": str(counts.set_aside),
        "success": "–" if rate is None else f"{rate:.1%}",
        "audio": f"{view.standing.audio_s:.1f} s",
        "time": f"{view.active_s:.1f} s",
        "retries": str(view.standing.retries),
        "cleanups": f"{view.standing.cleanups} (−{view.standing.regained_bytes / MIB:,.0f} MiB)",
    }


def _unspoken(
    rows: Sequence[LineRow], problems: Sequence[LineProblem], language: Language
) -> list[_UnspokenLine]:
    failed = [
        _UnspokenLine(
            row.line.number,
            row.line.uttid,
            row.line.text,
            LineState.FAILED,
            row.status.reason.text(language) if row.status.reason else "",
        )
        for row in rows
        if row.status.state is LineState.FAILED
    ]
    set_aside = [
        _UnspokenLine(
            each.number, each.uttid, each.excerpt, "set_aside", each.message.text(language)
        )
        for each in problems
    ]
    return failed + set_aside


def _voice_hints(rows: Sequence[LineRow], language: Language) -> list[str]:
    """Return which voices have spoken lines in a language that is not their own."""
    voices = VoiceHints(VOICES)
    for row in rows:
        voices.note(row.line.number, row.line.text, row.status.voices)
    return [hint.text(language) for hint in voices.hints()]


def _lines(run: BatchRun, rows: Sequence[LineRow], room_bytes: int) -> Iterator[_Line]:
    """Yield the rows of the table; sounds are embedded until one exceeds ``room_bytes``."""
    missing = run.store.missing_sounds()
    for row in rows:
        embedded = linked = ""
        if row.status.state is LineState.DONE and row.position not in missing:
            path = run.store.audio_path(row.line)
            size_bytes = path.stat().st_size
            if size_bytes <= room_bytes:
                room_bytes -= size_bytes
                embedded = base64.b64encode(path.read_bytes()).decode()
            else:
                room_bytes = 0
                linked = path.name
        left_out = " ".join(read_text(row.line.text).left_out)
        yield _Line(row, left_out, _line_figures(row.status), embedded, linked)


def _line_figures(status: LineStatus) -> tuple[str, ...]:
    measured = (status.audio_s, status.seconds, status.rtf)
    return (
        *("" if each is None else f"{each:.2f}" for each in measured),
        "" if status.memory is None else _cost(status.memory),
        str(status.retries or ""),
    )


def _cost(memory: LineMemory) -> str:
    figures = (memory.before_bytes, memory.peak_bytes, memory.after_bytes)
    return " → ".join(f"{each / MIB:,.0f}" for each in figures) + " MiB"
