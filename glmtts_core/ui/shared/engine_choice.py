"""The choice among several engines: one for the session, shown on every page that speaks."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.fields import keep
from glmtts_core.ui.shared.markdown import plain

_ENGINE: Final = "form_engine"


def show(page: Page) -> None:
    """Draw the choice of engine, where there is one."""
    names = page.session.studio.engines.names
    if page.session.saved_form.form.engine not in (None, *names):
        # taken away; should it come back, it is for the user to choose it again
        page.session.saved_form.keep(engine=None)
    if len(names) == 1:
        return
    # what was kept counts: the engine chosen here may have been taken away meanwhile
    st.session_state[_ENGINE] = page.session.engine
    st.segmented_control(
        page.text("form.engine"),
        names,
        format_func=plain,
        key=_ENGINE,
        required=True,
        persist_state="session",
        on_change=keep,
        args=(page, "engine", _ENGINE),
        help=page.text("form.engine_help"),
    )
