"""``report.html``: one file that shows a run, plots, failures and players included.

Needs nothing from the network. Made part by part, so that the players' sound costs little memory.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Final

from plotly.offline import get_plotlyjs

from glmtts_core.batch.entries import read_entries
from glmtts_core.batch.lines import LineProblem
from glmtts_core.batch.report_figures import memory_figure, speed_figure
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import LineRow, LineState, RunView
from glmtts_core.batch.store import AUDIO_FOLDER
from glmtts_core.batch.voice_hints import VoiceHints
from glmtts_core.catalogue import Language, text
from glmtts_core.engines.kokoro.voices import VOICES
from glmtts_core.markup import Html, html, html_address, script_json
from glmtts_core.text.reading import read_text

#: Bytes of sound that go into the page; what lies beyond is linked to the files beside it.
EMBED_LIMIT_BYTES: Final = 20 * 10**6
_MIB: Final = 2**20
_SPOKEN_COLUMNS: Final = (
    *("line", "name", "text", "left_out", "state", "voice"),
    *("audio", "work", "rtf", "cost", "retries", "sound"),
)
_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem;
  font-variant-numeric: tabular-nums; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.figures { display: flex; flex-wrap: wrap; gap: .75rem; }
.figures div { border: 1px solid #8884; border-radius: 6px; padding: .5rem .9rem; }
.figures b { display: block; font-size: 1.25rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem;
  border-bottom: 1px solid #8883; overflow-wrap: anywhere; }
th { position: sticky; top: 0; background: Canvas; }
td.number { text-align: right; white-space: nowrap; }
audio { height: 2rem; width: 15rem; }
.failed, .set_aside { color: #c8453b; }
"""


def report(
    run: BatchRun, language: Language, embed_limit_bytes: int = EMBED_LIMIT_BYTES
) -> Iterator[str]:
    """Give the page part by part.

    Args:
        run: what is reported; while it goes on, as it stands.
        language: of the page.
        embed_limit_bytes: how much sound goes into the page itself.

    Raises:
        StorageError: the run cannot be read.
        OSError: a sound cannot be read.
    """
    view = run.view()
    rows = run.rows(limit=view.counts.total)
    title = html(f"{view.name} · {view.id}")
    yield Html(f'<!doctype html><html lang="{html(language)}"><head><meta charset="utf-8">')
    yield Html('<meta name="viewport" content="width=device-width, initial-scale=1">')
    yield Html(f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>")
    yield from _figures(view, language)
    yield from _plots(run, rows, language)
    yield from _unspoken(rows, run.problems, language)
    yield from _accents(rows, language)
    yield from _spoken(run, rows, language, embed_limit_bytes)
    yield Html("</body></html>\n")


def _figures(view: RunView, language: Language) -> Iterator[Html]:
    counts = view.counts
    rate = counts.success_rate
    shown = {
        "done": f"{counts.done} / {counts.total}",
        "failed": str(counts.failed),
        "set_aside": str(counts.set_aside),
        "success": "–" if rate is None else f"{rate:.1%}",
        "audio": f"{view.audio_s:.1f} s",
        "time": f"{view.active_s:.1f} s",
        "retries": str(view.retries),
        "cleanups": f"{view.cleanups} (−{view.regained_bytes / _MIB:,.0f} MiB)",
    }
    state = text(f"batch.run_state.{view.state.value}", language)
    yield Html(f"<p>{view.created_at:%Y-%m-%d %H:%M:%S} · {html(state)}</p>")
    yield Html('<div class="figures">')
    for name, value in shown.items():
        yield Html(f"<div>{html(text(f'batch.report.{name}', language))}<b>{html(value)}</b></div>")
    yield Html("</div>")


def _plots(run: BatchRun, rows: Sequence[LineRow], language: Language) -> Iterator[Html]:
    cleanups_s = [
        entry.at for entry in read_entries(run.store.journal_path) if entry.cleanup is not None
    ]
    figures = {
        "memory": memory_figure(rows, cleanups_s, language),
        "speed": speed_figure(rows, language),
    }
    yield Html("<script>")
    yield Html(get_plotlyjs())
    yield Html("</script>")
    for name, figure in figures.items():
        yield Html(f"<h2>{html(text(f'batch.report.{name}', language))}</h2>")
        yield Html(f'<div id="{html(name)}"></div><script>Plotly.newPlot({script_json(name)},')
        yield Html(f"{script_json(figure['data'])},{script_json(figure['layout'])},")
        yield Html("{responsive:true,displaylogo:false});</script>")


def _unspoken(
    rows: Sequence[LineRow], problems: Sequence[LineProblem], language: Language
) -> Iterator[Html]:
    failed = [row for row in rows if row.status.state is LineState.FAILED]
    if not failed and not problems:
        return
    yield Html(f"<h2>{html(text('batch.report.not_spoken', language))}</h2><table>")
    yield _head(["line", "name", "text", "state", "reason"], language)
    for row in failed:
        reason = row.status.reason.text(language) if row.status.reason else ""
        yield _unspoken_row(
            row.line.number, row.line.uttid, row.line.text, "failed", reason, language
        )
    for problem in problems:
        reason = problem.message.text(language)
        yield _unspoken_row(
            problem.number, problem.uttid, problem.excerpt, "set_aside", reason, language
        )
    yield Html("</table>")


def _unspoken_row(
    number: int, name: str, spoken: str, state: str, reason: str, language: Language
) -> Html:
    return Html(
        f'<tr><td class="number">{number:d}</td><td>{html(name)}</td><td>{html(spoken)}</td>'
        f'<td class="{html(state)}">{html(text(f"batch.report.{state}", language))}</td>'
        f"<td>{html(reason)}</td></tr>"
    )


def _accents(rows: Sequence[LineRow], language: Language) -> Iterator[Html]:
    """Yield which voices have spoken lines in a language that is not their own."""
    voices = VoiceHints(VOICES)
    for row in rows:
        voices.note(row.line.number, row.line.text, row.status.voices)
    for hint in voices.hints():
        yield Html(f"<p>{html(hint.text(language))}</p>")


def _spoken(
    run: BatchRun, rows: Sequence[LineRow], language: Language, room_bytes: int
) -> Iterator[Html]:
    yield Html(f"<h2>{html(text('batch.report.lines', language))}</h2><table>")
    yield _head(_SPOKEN_COLUMNS, language)
    for row in rows:
        player = Html("")
        path = run.store.audio_path(row.line)
        if row.status.state is LineState.DONE and run.store.holds_sound(row.line, row.status):
            size_bytes = path.stat().st_size
            if size_bytes <= room_bytes:
                room_bytes -= size_bytes
                sound = base64.b64encode(path.read_bytes()).decode()
                player = Html(
                    f'<audio controls preload="none" src="data:audio/wav;base64,{html(sound)}">'
                )
            else:
                room_bytes = 0
                address = html_address(AUDIO_FOLDER, path.name)
                player = Html(f'<a href="{address}">{html(path.name)}</a>')
        yield _spoken_row(row, player, language)
    yield Html("</table>")


def _spoken_row(row: LineRow, player: Html, language: Language) -> Html:
    status, memory = row.status, row.status.memory
    cost = ""
    if memory is not None:
        figures = (memory.before_bytes, memory.peak_bytes, memory.after_bytes)
        cost = " → ".join(f"{each / _MIB:,.0f}" for each in figures) + " MiB"
    numbers = [
        "" if status.audio_s is None else f"{status.audio_s:.2f}",
        "" if status.seconds is None else f"{status.seconds:.2f}",
        "" if status.rtf is None else f"{status.rtf:.2f}",
        cost,
        str(status.retries or ""),
    ]
    cells = "".join(f'<td class="number">{html(each)}</td>' for each in numbers)
    left_out = " ".join(read_text(row.line.text).left_out)
    state = html(text(f"batch.line_state.{status.state.value}", language))
    return Html(
        f'<tr><td class="number">{row.line.number:d}</td><td>{html(row.line.uttid)}</td>'
        f"<td>{html(row.line.text)}</td><td>{html(left_out)}</td>"
        f'<td class="{html(status.state.value)}">{state}</td>'
        f"<td>{html(' + '.join(status.voices))}</td>{cells}<td>{player}</td></tr>"
    )


def _head(names: Sequence[str], language: Language) -> Html:
    cells = "".join(f"<th>{html(text(f'batch.report.{name}', language))}</th>" for name in names)
    return Html(f"<tr>{cells}</tr>")
