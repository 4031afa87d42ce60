"""The diagnostics page's tabs."""

from __future__ import annotations

import streamlit as st

from glmtts_core.ui import (
    diagnostics_claims,
    diagnostics_environment,
    diagnostics_growth,
    diagnostics_laboratory,
    diagnostics_listening,
    diagnostics_memory,
)
from glmtts_core.ui.shell import Page

_TABS = (
    ("diagnostics.tab.laboratory", diagnostics_laboratory.show),
    ("diagnostics.tab.claims", diagnostics_claims.show),
    ("diagnostics.tab.listening", diagnostics_listening.show),
    ("diagnostics.tab.memory", diagnostics_memory.show),
    ("diagnostics.tab.growth", diagnostics_growth.show),
    ("diagnostics.tab.environment", diagnostics_environment.show),
)


def show(page: Page) -> None:
    """Draw all tabs."""
    for tab, (_, draw) in zip(st.tabs([page.text(key) for key, _ in _TABS]), _TABS, strict=True):
        with tab:
            draw(page)
