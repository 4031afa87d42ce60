"""The chosen file: what it is, how its lines look, which are set aside and why, mending them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from glmtts_core.batch_draft.draft import BatchDraft, InputCheck
from glmtts_core.batch_files.editing import editable_lines
from glmtts_core.batch_files.fields import ALIASES
from glmtts_core.batch_files.lines import BatchInput, BatchLine, RunDefaults, request_of
from glmtts_core.errors import GLMTTSError
from glmtts_core.escaping import html
from glmtts_core.quoting import quoted
from glmtts_core.ui.batch.draft import steer
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared import reading_view
from glmtts_core.ui.shared.markdown import plain

#: Bad lines that can be mended on the page; who has more mends the file.
MAX_EDITED: Final = 200
_PREVIEW_ROWS: Final = 8
#: Hints that are shown before "and so many more".
_HINTS_SHOWN: Final = 5
#: Seconds in which most files are checked while the page is drawn.
_WAIT_S: Final = 0.5
_POLL_S: Final = 0.5
_EDITED: Final = "batch_edited"
#: Heights of the table of bad lines, in pixels: a row, which wraps its text from this height on,
#: the header with its frame, and the most that all takes.
_ROW_PX: Final = 68
_HEAD_PX: Final = 38
_MOST_PX: Final = 420


def heading(page: Page, draft: BatchDraft, defaults: RunDefaults) -> InputCheck:
    """Draw what the chosen file is and what the check says of it; return the check."""
    check = draft.check_with(defaults, _WAIT_S)
    facts = [f"**{plain(draft.name or '')}**"]
    if check.batch is not None:
        facts += [page.message(check.batch.taken_for), plain(check.batch.encoding)]
        facts.append(page.markdown("batch.lines", count=f"{check.batch.total:,}"))
    with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
        st.markdown(":material/description: " + " · ".join(facts), width="stretch")
        st.button(
            page.text("batch.drop_file"),
            key="batch_drop_file",
            on_click=_drop,
            args=(draft,),
            icon=":material/close:",
            type="tertiary",
        )
    if check.error is not None:
        st.error(page.message(check.error))
    if check.running:
        _live(page, draft)
    if check.result is not None:
        _verdict(page, check.result)
        for note in check.result.notes:
            st.caption(page.message(note))
        _hints(page, check.result)
    return check


def _drop(draft: BatchDraft) -> None:
    steer(draft.drop_file)


@st.fragment(run_every=_POLL_S)
def _live(page: Page, draft: BatchDraft) -> None:
    check = draft.check
    if not check.running:
        st.rerun(scope="app")
    key = "batch.reading" if check.batch is None else "batch.checking"
    st.progress(check.fraction, page.text(key))


def _verdict(page: Page, result: BatchInput) -> None:
    ready = page.text("batch.ready", count=f"{len(result.lines):,}")
    aside = page.text("batch.set_aside", count=f"{len(result.problems):,}")
    characters = page.text("batch.characters", count=f"{result.characters:,}")
    mark = "" if result.problems else ' class="glm-muted"'
    st.html(
        f'<div class="glm-verdict"><b>✓ {html(ready)}</b>'
        f"<span{mark}>{'⚠ ' if result.problems else ''}{html(aside)}</span>"
        f'<span class="glm-muted">{html(characters)}</span></div>'
    )


def _hints(page: Page, result: BatchInput) -> None:
    for hint in result.hints[:_HINTS_SHOWN]:
        st.caption(page.message(hint))
    if len(result.hints) > _HINTS_SHOWN:
        more = f"{len(result.hints) - _HINTS_SHOWN:,}"
        st.caption(page.markdown("batch.hints_more", count=more))


# -- bad lines ---------------------------------------------------------------------------------


def problems(
    page: Page, draft: BatchDraft, check: InputCheck, failed: Mapping[int, str] | None = None
) -> None:
    """Draw the lines that are set aside, to be corrected in place.

    Args:
        page: the page.
        draft: whose file is corrected.
        check: what was found.
        failed: why lines failed when they were spoken, by number: these can be corrected too.
    """
    aside = check.result.problems if check.result is not None else ()
    found = {problem.number: problem.message.text(page.language) for problem in aside} | dict(
        failed or {}
    )
    if not found:
        return
    numbers = sorted(found)[:MAX_EDITED]
    try:
        texts = editable_lines(draft.data(), set(numbers), check.batch)
    except GLMTTSError as error:
        st.error(page.message(error))
        return
    excerpts = {problem.number: problem.excerpt for problem in aside}
    st.caption(page.text("batch.mend"))
    rows = [
        {
            "number": number,
            "problem": found[number],
            "line": texts.get(number, excerpts.get(number, "")),
        }
        for number in numbers
    ]
    # another version of the file is another table: nothing that was typed may land in it
    key = f"{_EDITED}_{draft.version}"
    st.data_editor(
        rows,
        key=key,
        hide_index=True,
        disabled=["number", "problem"],
        height=min(_MOST_PX, _ROW_PX * len(rows) + _HEAD_PX),
        row_height=_ROW_PX,
        column_config={
            "number": st.column_config.NumberColumn(page.text("batch.column.number"), width=60),
            "problem": st.column_config.TextColumn(page.text("batch.column.problem"), width=420),
            "line": st.column_config.TextColumn(page.text("batch.column.line"), width=420),
        },
        alt=page.text("batch.mend"),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            page.text("batch.mend_check"),
            key="batch_mend_check",
            on_click=_mend,
            args=(draft, key, numbers, set(texts)),
            icon=":material/fact_check:",
            disabled=not _edits(key),
        )
        if len(found) > len(numbers):
            more = f"{len(found) - len(numbers):,}"
            st.caption(page.markdown("batch.mend_more", count=more))


def _edits(key: str) -> dict[int, dict[str, Any]]:
    """Return what was typed into the table: cells by row."""
    state = st.session_state.get(key)
    return dict(state["edited_rows"]) if state else {}


def _mend(draft: BatchDraft, key: str, numbers: list[int], editable: set[int]) -> None:
    changes = {
        numbers[row]: cells["line"] or ""
        for row, cells in _edits(key).items()
        if numbers[row] in editable
    }
    steer(lambda: draft.change_lines(changes))


# -- good lines --------------------------------------------------------------------------------


def preview(page: Page, check: InputCheck, defaults: RunDefaults) -> None:
    """Draw some of the lines that will be spoken; only these reach the browser.

    Args:
        page: where to draw.
        check: of the file.
        defaults: what holds for lines that say nothing else.
    """
    lines = check.result.lines if check.result is not None else ()
    if not lines:
        return
    pages = -(-len(lines) // _PREVIEW_ROWS)
    with st.expander(page.text("batch.preview"), expanded=True):
        number = min(st.session_state.get("batch_preview_page", 1), pages)
        start = (number - 1) * _PREVIEW_ROWS
        drawn = lines[start : start + _PREVIEW_ROWS]
        chosen = st.dataframe(
            [_row(page, line, _voice(page, line, defaults)) for line in drawn],
            key=f"batch_preview_{number}",
            on_select="rerun",
            selection_mode="single-row",
            hide_index=True,
            column_config={
                "number": st.column_config.NumberColumn(page.text("batch.column.number"), width=60),
                "uttid": st.column_config.TextColumn(page.text("batch.column.uttid"), width=110),
                "text": st.column_config.TextColumn(page.text("batch.column.text"), width=250),
                "spoken": st.column_config.TextColumn(page.text("read.title"), width=270),
                "left_out": page.text("batch.column.left_out"),
                "own": page.text("batch.column.own"),
            },
        )
        if pages > 1:
            st.pagination(pages, key="batch_preview_page")
        rows = [row for row in chosen.selection.rows if row < len(drawn)]
        if rows:
            _heard(page, drawn[rows[0]], defaults)
        else:
            st.caption(page.markdown("batch.preview_hint"))


def _voice(page: Page, line: BatchLine, defaults: RunDefaults) -> str | None:
    """Return the voice that will speak a line."""
    return page.session.capabilities.with_voice(request_of(line, defaults, None)).voice


def _heard(page: Page, line: BatchLine, defaults: RunDefaults) -> None:
    """Draw how a line will be read, sound by sound."""
    try:
        figures = page.session.capabilities.language_of_figures(_voice(page, line, defaults))
        reading_view.heard(page, line.text, figures)
    except GLMTTSError as error:
        st.error(page.message(error))


def _row(page: Page, line: BatchLine, voice: str | None) -> dict[str, object]:
    own = {ALIASES[name][0]: value for name, value in line.given().items()}
    if line.prompt_audio is not None:
        own["prompt_audio"] = line.prompt_audio
    reading = page.session.capabilities.reading(line.text, voice)
    return {
        "number": line.number,
        "uttid": line.uttid,
        "text": line.text,
        "spoken": reading.spoken,
        "left_out": " ".join(reading.left_out),
        "own": " · ".join(f"{name} {quoted(value)}" for name, value in own.items()),
    }
