"""What all form fields have in common: a first value, and being kept on disk when changed."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.ui.page import Page

#: Why a changed field could not be kept; empty while all is well.
NOT_KEPT: Final = "form_not_kept"


def keep(page: Page, field: str, key: str) -> None:
    """Write a changed field to disk, so that a reload or a crash does not lose it."""
    st.session_state[NOT_KEPT] = page.session.saved_form.keep(**{field: st.session_state[key]})


def keep_batch(page: Page, field: str, key: str) -> None:
    """Write a changed field of the batch page to disk."""
    st.session_state[NOT_KEPT] = page.session.saved_form.keep_batch(
        **{field: st.session_state[key]}
    )


def prefill(key: str, value: object) -> None:
    """Give a widget its first value; later runs and other pages keep what the user chose."""
    if key not in st.session_state:
        st.session_state[key] = value
