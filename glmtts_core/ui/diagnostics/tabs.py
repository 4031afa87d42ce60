"""The diagnostics page's tabs."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.catalogue import LANGUAGES, text
from glmtts_core.ui.diagnostics import claims, environment, growth, laboratory, listening, memory
from glmtts_core.ui.page import Page

#: Name of the open tab in the session state.
TAB_KEY: Final = "diagnostics_tab"
_TABS: Final = (
    ("diagnostics.tab.laboratory", laboratory.show),
    ("diagnostics.tab.claims", claims.show),
    ("diagnostics.tab.listening", listening.show),
    ("diagnostics.tab.memory", memory.show),
    ("diagnostics.tab.growth", growth.show),
    ("diagnostics.tab.environment", environment.show),
)


def show(page: Page) -> None:
    """Draw the open tab; the charts of the others would cost the browser seconds."""
    labels = [page.text(key) for key, _ in _TABS]
    if st.session_state.get(TAB_KEY) not in labels:
        # after a switch of language it holds a label of the other one
        st.session_state[TAB_KEY] = labels[_open_number()]
    tabs = st.tabs(labels, key=TAB_KEY, on_change="rerun")
    for tab, (_, draw) in zip(tabs, _TABS, strict=True):
        if tab.open:
            with tab:
                draw(page)


def _open_number() -> int:
    """Return which tab was open, whatever the language was."""
    label = st.session_state.get(TAB_KEY)
    for number, (key, _) in enumerate(_TABS):
        if any(text(key, language) == label for language in LANGUAGES):
            return number
    return 0
