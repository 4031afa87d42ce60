"""The lines of a run in windows: only what is visible is sent; a player on demand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import streamlit as st

from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import LineMemory, LineRow, LineState, RunCounts, RunView
from glmtts_core.batch_files.lines import LineProblem
from glmtts_core.errors import GLMTTSError
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.markdown import plain
from glmtts_core.ui.shared.quantities import seconds, size

_ROWS: Final = 20
_ROW_PX: Final = 35
_FILTER: Final = "batch_filter"
_PAGE: Final = "batch_page_number"
_TABLE: Final = "batch_table"
#: Positions of the lines as they were last drawn, and the one that the user has chosen.
_DRAWN: Final = "batch_drawn_rows"
_CHOSEN: Final = "batch_chosen_row"
_CHANGED: Final = "batch_choice_changed"
_SET_ASIDE: Final = "set_aside"
_FILTERS: Final[dict[str, Collection[LineState]]] = {
    "all": frozenset(LineState),
    "failed": (LineState.FAILED,),
    "done": (LineState.DONE,),
    "waiting": (LineState.QUEUED, LineState.RUNNING, LineState.SKIPPED),
}
_MARKS: Final = {
    LineState.QUEUED: "·",
    LineState.RUNNING: "▸",
    LineState.DONE: "✓",
    LineState.FAILED: "✕",
    LineState.SKIPPED: "–",
}


def table(page: Page, run: BatchRun, view: RunView) -> None:
    """Draw one window of the lines, failures first."""
    shown = _choose_filter(page, view.counts)
    total = _count(shown, view.counts)
    pages = max(1, -(-total // _ROWS))
    number = min(st.session_state.get(_PAGE, 1), pages)
    offset = (number - 1) * _ROWS
    if not total:
        st.caption(page.text("batch.no_lines"))
    elif shown == _SET_ASIDE:
        _problem_table(page, run.lines.problems(offset, _ROWS))
    else:
        rows = run.lines.rows(_FILTERS[shown], offset, _ROWS, failures_first=True)
        st.session_state[_DRAWN] = (run.id, [row.position for row in rows])
        _line_table(page, rows)
    if pages > 1:
        st.pagination(pages, key=_PAGE)


def _choose_filter(page: Page, counts: RunCounts) -> str:
    names = [*_FILTERS, _SET_ASIDE]
    st.session_state.setdefault(_FILTER, "all")
    chosen = st.segmented_control(
        page.text("batch.filter"),
        names,
        format_func=lambda name: page.markdown(
            f"batch.filter.{name}", count=f"{_count(name, counts):,}"
        ),
        key=_FILTER,
        required=True,
        label_visibility="collapsed",
        on_change=lambda: st.session_state.update({_PAGE: 1}),
    )
    return chosen or "all"


def _count(shown: str, counts: RunCounts) -> int:
    if shown == _SET_ASIDE:
        return counts.set_aside
    return sum(int(getattr(counts, state.value)) for state in _FILTERS[shown])


def _problem_table(page: Page, problems: Sequence[LineProblem]) -> None:
    st.dataframe(
        [
            {
                "number": problem.number,
                "problem": problem.message.text(page.language),
                "line": problem.excerpt,
            }
            for problem in problems
        ],
        hide_index=True,
        column_config={
            "number": st.column_config.NumberColumn(page.text("batch.column.number"), width=60),
            "problem": st.column_config.TextColumn(page.text("batch.column.problem"), width=480),
            "line": st.column_config.TextColumn(page.text("batch.column.excerpt"), width=320),
        },
    )


def _line_table(page: Page, rows: Sequence[LineRow]) -> None:
    words = {
        state: f"{mark} {page.text(f'batch.line_state.{state.value}')}"
        for state, mark in _MARKS.items()
    }
    names = {
        "number": 55,
        "state": 90,
        "uttid": 130,
        "text": 240,
        "seconds": 75,
        "audio": 75,
        "rtf": 60,
        "memory": 230,
        "retries": 70,
        "reason": 420,
    }
    with_reason = any(row.status.reason for row in rows)
    order = [name for name in names if name != "reason"]
    if with_reason:
        order.insert(3, "reason")
    st.dataframe(
        [_cells(page, row, words) for row in rows],
        key=_TABLE,
        hide_index=True,
        height=_ROW_PX * (_ROWS + 1) + 3 if len(rows) == _ROWS else "auto",
        column_order=order,
        column_config={
            name: st.column_config.Column(page.text(f"batch.column.{name}"), width=width)
            for name, width in names.items()
        },
        on_select=_choose,
        selection_mode="single-row",
        alt=page.text("batch.filter"),
    )


def _cells(page: Page, row: LineRow, words: dict[LineState, str]) -> dict[str, object]:
    status = row.status
    return {
        "number": row.line.number,
        "state": words[status.state],
        "uttid": row.line.uttid,
        "text": row.line.text[:200],
        "seconds": "" if status.seconds is None else seconds(status.seconds),
        "audio": "" if status.audio_s is None else seconds(status.audio_s),
        "rtf": "" if status.rtf is None else f"{status.rtf:.2f}",
        "memory": "" if status.memory is None else _memory(status.memory),
        "retries": str(status.retries or ""),
        "reason": "" if status.reason is None else status.reason.text(page.language),
    }


def _memory(memory: LineMemory) -> str:
    return f"{size(memory.before_bytes)} → {size(memory.peak_bytes)} → {size(memory.after_bytes)}"


# -- the chosen line ---------------------------------------------------------------------------


def _choose() -> None:
    """Remember which line was clicked: the table's order changes under the selection."""
    state: Any = st.session_state[_TABLE]
    run_id, positions = st.session_state[_DRAWN]
    chosen = [positions[row] for row in state["selection"]["rows"] if row < len(positions)]
    st.session_state[_CHOSEN] = (run_id, chosen[0]) if chosen else None
    st.session_state[_CHANGED] = True


def choice_changed() -> bool:
    """Tell once that another line was clicked."""
    return bool(st.session_state.pop(_CHANGED, False))


def player(page: Page, run: BatchRun) -> None:
    """Draw the chosen line: its sound, or why there is none."""
    chosen = st.session_state.get(_CHOSEN)
    if chosen is None or chosen[0] != run.id:
        return
    row = run.lines.row(chosen[1])
    with st.container(border=True):
        st.markdown(f"**{plain(row.line.uttid)}** {plain(row.line.text, 400)}")
        if row.status.reason is not None:
            st.error(page.message(row.status.reason))
        if row.status.state is not LineState.DONE:
            return
        try:
            wav = run.store.wav(row.line)
        except GLMTTSError as error:
            st.warning(page.message(error))
            return
        st.audio(wav)
        st.download_button(
            page.text("result.download"),
            wav,
            row.file_name,
            "audio/wav",
            key="batch_download_line",
            icon=":material/download:",
            on_click="ignore",
        )
