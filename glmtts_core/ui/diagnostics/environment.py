"""The environment tab: self-check, rehearsal, and what runs here to copy into a report."""

from __future__ import annotations

import streamlit as st

from glmtts_core.diagnostics.environment import environment
from glmtts_core.diagnostics.environment_report import report
from glmtts_core.ui.diagnostics import rehearsal, self_check
from glmtts_core.ui.page import Page


def show(page: Page) -> None:
    """Draw the tab."""
    self_check.show(page)
    for message in page.session.studio.engines.messages:
        st.warning(page.message(message))
    rehearsal.show(page)
    st.subheader(page.text("diagnostics.environment"), anchor=False)
    st.caption(page.text("diagnostics.environment_help"))
    # the block has a copy button of its own
    st.code(report(environment(page.session.studio), page.language), language=None, wrap_lines=True)
