"""What cloning must not be used for; shown until it was read, on every page that clones."""

from __future__ import annotations

import streamlit as st

from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.fields import NOT_KEPT


def show(page: Page) -> None:
    """Draw the notice, until it was read."""
    if page.session.saved_form.form.notice_read:
        return
    with st.container(border=True):
        st.markdown(page.text("form.notice"))
        st.button(
            page.text("form.notice_read"), key="notice_read", on_click=_note_read, args=(page,)
        )


def _note_read(page: Page) -> None:
    st.session_state[NOT_KEPT] = page.session.saved_form.keep(notice_read=True)
