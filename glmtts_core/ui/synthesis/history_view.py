"""The session's history: hear again, download, delete."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.errors import GLMTTSError
from glmtts_core.sessions.result_record import ResultRecord
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.markdown import plain
from glmtts_core.ui.shared.quantities import change, moment, seconds
from glmtts_core.ui.synthesis.result_view import SELECTED

#: Rows that are shown before the user asks for all.
_FIRST_ROWS: Final = 8
_ALL: Final = "history_all"
_ERROR: Final = "history_error"


def show(page: Page) -> None:
    """Draw the history, newest first."""
    error = st.session_state.get(_ERROR)
    if isinstance(error, GLMTTSError):
        st.error(page.message(error))
    listing = page.session.history.list()
    if not listing.records and not listing.unreadable and listing.error is None:
        return
    st.subheader(page.markdown("history.title", count=len(listing.records)), anchor=False)
    if listing.error is not None:
        st.warning(page.message(listing.error))
    for name in listing.unreadable:
        st.warning(page.markdown("history.unreadable", name=name))
    limit = None if st.session_state.get(_ALL) else _FIRST_ROWS
    for record in listing.records[:limit]:
        _row(page, record)
    if limit is not None and len(listing.records) > limit:
        st.button(
            page.markdown("history.show_all", count=len(listing.records)),
            key="history_show_all",
            type="tertiary",
            on_click=lambda: st.session_state.update({_ALL: True}),
        )


def _row(page: Page, record: ResultRecord) -> None:
    with st.container(
        horizontal=True, wrap=False, vertical_alignment="center", key=f"row_{record.number}"
    ):
        st.button(
            f"#{record.number:d}",
            key=f"replay_{record.number}",
            icon=":material/play_arrow:",
            help=page.text("history.replay"),
            on_click=lambda: st.session_state.update({SELECTED: record.number}),
        )
        growth = change(record.memory_cost.growth_bytes)
        st.markdown(
            f"{plain(record.text, 60)}  \n:small[:gray[{moment(record.spoken_at)} · "
            f"{seconds(record.audio_s)} · RTF {record.rtf:.2f} · {growth}]]",
            width="stretch",
        )
        st.button(
            page.text("history.delete"),
            key=f"delete_{record.number}",
            icon=":material/delete:",
            type="tertiary",
            on_click=_delete,
            args=(page, record.number),
        )


def _delete(page: Page, number: int) -> None:
    st.session_state[_ERROR] = None
    if st.session_state.get(SELECTED) == number:
        st.session_state[SELECTED] = None
    try:
        page.session.delete(number)
    except GLMTTSError as error:
        st.session_state[_ERROR] = error
