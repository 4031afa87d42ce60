"""The overview page: memory over the last minutes, the last syntheses, first steps."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.escaping import html
from glmtts_core.memory.monitor import HISTORY_S
from glmtts_core.memory.probe import MemoryReading
from glmtts_core.sessions.result_record import ResultRecord
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared import browser_session, memory_view
from glmtts_core.ui.shared.quantities import change, moment, seconds, size

#: Seconds between two drawings of the large chart, and the minutes that it shows.
_TICK_S: Final = 2.0
_MINUTES: Final = round(HISTORY_S / 60)
_ROWS: Final = 20
_NEWEST: Final = "overview_newest"
#: Syntheses over which the mean growth is taken.
_GROWTH_OVER: Final = 5


@st.fragment(run_every=_TICK_S)
def live(page: Page) -> None:
    """Draw the four figures that matter, and the last minutes, one chart a memory."""
    _redraw_when_spoken(page)
    reading = page.session.studio.monitor.latest()
    views = memory_view.views(reading)
    _figures(page, views[0], reading)
    for view in views:
        readings = memory_view.recent(page.session, view, HISTORY_S)
        title = view.title(readings[-1], page.language)
        st.markdown(f"**{page.markdown('overview.chart', memory=title, minutes=_MINUTES)}**")
        st.plotly_chart(
            memory_view.chart(
                page.session, view, readings, page.language, span_s=HISTORY_S, height_px=300
            ),
            key=f"overview_memory_{view.device_index}",
            config={"displayModeBar": False},
            alt=page.text("memory_view.alt"),
        )
        st.html(memory_view.legend_html(readings[-1], view, page.language))


def _redraw_when_spoken(page: Page) -> None:
    """Have the whole page drawn again when its table would show something new."""
    records = page.session.history.list().records
    newest = records[0].number if records else 0
    if st.session_state.get(_NEWEST, newest) != newest:
        st.session_state[_NEWEST] = newest
        st.rerun(scope="app")
    st.session_state[_NEWEST] = newest


def _figures(page: Page, view: memory_view.MemoryView, reading: MemoryReading) -> None:
    promise = page.session.promise()
    about = "" if promise.exact else "≈ "
    cards = (
        (view.title(reading, page.language), size(view.used_bytes(reading))),
        (page.text("overview.weights"), size(reading.weights_bytes)),
        (page.text("overview.reclaimable"), about + size(promise.bytes)),
        (page.text("overview.growth"), _growth(page)),
    )
    cells = [f"<div>{html(name)}<b>{html(value)}</b></div>" for name, value in cards]
    st.html(f'<div class="glm-cards">{"".join(cells)}</div>')


def first_steps(page: Page) -> None:
    """Say what to do first, as long as nothing was spoken."""
    if page.session.history.list().records:
        return
    with st.container(border=True):
        st.markdown(page.text("overview.first_steps"))
        st.page_link(
            "pages/1_synthesis.py",
            label=page.text("overview.go"),
            icon=":material/arrow_forward:",
            query_params=browser_session.parameters(page.session),
        )


def last_syntheses(page: Page) -> None:
    """Draw the table of the session's last syntheses."""
    records = page.session.history.list().records[:_ROWS]
    if not records:
        return
    st.subheader(page.text("overview.last"), anchor=False)
    st.dataframe(
        [_row(page, record) for record in records],
        hide_index=True,
        column_config={page.text("overview.column_text"): st.column_config.TextColumn(width=200)},
    )


def _row(page: Page, record: ResultRecord) -> dict[str, object]:
    cost = record.memory_cost
    return {
        "#": record.number,
        page.text("overview.column_time"): moment(record.spoken_at),
        page.text("overview.column_text"): record.text,
        page.text("overview.column_seconds"): seconds(record.seconds),
        page.text("overview.column_audio"): seconds(record.audio_s),
        "RTF": f"{record.rtf:.2f}",
        page.text("overview.column_memory"): (
            f"{size(cost.before_bytes)} → {size(cost.peak_bytes)} → {size(cost.after_bytes)}"
        ),
        page.text("overview.column_growth"): change(cost.growth_bytes),
    }


def _growth(page: Page) -> str:
    records = page.session.history.list().records[:_GROWTH_OVER]
    if not records:
        return "–"
    return change(sum(record.memory_cost.growth_bytes for record in records) / len(records))
