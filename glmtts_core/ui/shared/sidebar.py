"""The sidebar, the same on every page: navigation, language, live memory, cleanup, engine state."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.catalogue import Language, text
from glmtts_core.escaping import html
from glmtts_core.sessions.session import Session
from glmtts_core.ui.shared import browser_session, cleanup_button, memory_view
from glmtts_core.ui.shared import language as ui_language
from glmtts_core.ui.shared.markdown import message_markdown

#: Seconds between two ticks of the live chart.
TICK_S: Final = 1.0
#: Seconds that the small chart shows.
SPAN_S: Final = 120.0
_PAGES: Final = (
    ("streamlit_app.py", "overview.title", ":material/monitoring:"),
    ("pages/1_synthesis.py", "synthesis.title", ":material/graphic_eq:"),
    ("pages/2_batch.py", "batch.title", ":material/format_list_numbered:"),
    ("pages/3_diagnostics.py", "diagnostics.title", ":material/troubleshoot:"),
)
_VIEW_KEY: Final = "memory_view"
_CHOSEN_VIEW: Final = "chosen_memory_view"


def show(session: Session, language: Language, parameters: dict[str, str]) -> None:
    """Draw the sidebar; ``parameters`` go into every link, so that the session goes along."""
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        st.html('<div class="glm-brand">GLM-TTS Studio</div>', width="content")
        ui_language.switch(session, language)
    for path, title_key, icon in _PAGES:
        st.page_link(
            path,
            label=text(title_key, language),
            icon=icon,
            query_params=parameters,
            width="stretch",
        )
    view = _choose_view(session, language)
    _live(session, view, language)


def _choose_view(session: Session, language: Language) -> memory_view.MemoryView:
    """Return the memory to show; with a GPU there is a choice, without none is offered."""
    reading = session.studio.monitor.latest()
    views = memory_view.views(reading)
    if len(views) == 1:
        return views[0]
    names = {view: view.title(reading, language) for view in views}
    # kept beside the widget, which after a switch of language only knows a label of the other one
    kept = st.session_state.get(_CHOSEN_VIEW)
    chosen = st.session_state[_VIEW_KEY] = kept if kept in names else views[0]
    st.selectbox(
        text("memory_view.choose", language),
        views,
        format_func=names.__getitem__,
        key=_VIEW_KEY,
        persist_state="session",
        on_change=_keep_view,
        label_visibility="collapsed",
    )
    return chosen


def _keep_view() -> None:
    chosen = st.session_state[_VIEW_KEY]
    if isinstance(chosen, memory_view.MemoryView):
        st.session_state[_CHOSEN_VIEW] = chosen


@st.fragment(run_every=TICK_S)
def _live(session: Session, view: memory_view.MemoryView, language: Language) -> None:
    if not browser_session.still_there(session):
        # the whole page says so, before a click in it acts on the other tab's session
        st.rerun(scope="app")
    readings = memory_view.recent(session, view, SPAN_S)
    st.html(
        f"<b>{html(view.title(readings[-1], language))}</b>"
        + memory_view.figures_html(session, view, readings, language)
    )
    st.plotly_chart(
        memory_view.chart(session, view, readings, language, span_s=SPAN_S, height_px=150),
        key="sidebar_memory",
        config={"displayModeBar": False},
        alt=text("memory_view.alt", language),
    )
    st.html(memory_view.legend_html(readings[-1], view, language))
    cleanup_button.labelled_button(session, language, key="sidebar_cleanup")
    cleanup_button.outcome(session, language)
    _advice(session, language)
    _engine(session, language)
    for message in session.studio.memory_messages:
        st.html(f'<div class="glm-muted">{html(message.text(language))}</div>')


def _advice(session: Session, language: Language) -> None:
    advice = session.advice()
    if advice is not None:
        words = html(advice.text(language))
        st.html(f'<div class="glm-advice">{words}</div>')


def _engine(session: Session, language: Language) -> None:
    if session.load_error is not None:
        st.warning(message_markdown(session.load_error, language))
    state = session.studio.state(session.engine)
    words = text(f"engine_state.{state.engine.value}", language)
    if state.loading is not None:
        words += f" {state.loading:.0%}"
    if state.queued:
        words += text("engine_state.queued", language, count=state.queued)
    # a long name and two buttons do not fit into one row
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        name = html(f"{session.capabilities.engine} · {words}")
        st.html(f'<div class="glm-muted">{name}</div>', width="content")
        cleanup_button.engine_buttons(session, language)
    for message in session.studio.engines.find(session.engine).messages:
        st.html(f'<div class="glm-muted">{html(message.text(language))}</div>')
