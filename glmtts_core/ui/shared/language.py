"""Which language the pages speak: the user's choice, else the setting, else the browser's."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.catalogue import LANGUAGES, Language
from glmtts_core.sessions.session import Session

KEY: Final = "language"
SHORT_NAMES: Final[dict[Language, str]] = {"zh": "中", "en": "EN"}


def current(session: Session | None) -> Language:
    """Return the language to draw this run in."""
    chosen = st.session_state.get(KEY)
    if chosen in LANGUAGES:
        return chosen  # type: ignore[no-any-return]
    if session is not None:
        if session.saved_form.form.language is not None:
            return session.saved_form.form.language
        if session.studio.settings.language != "auto":
            return session.studio.settings.language
    return "zh" if (st.context.locale or "").lower().startswith("zh") else "en"


def switch(session: Session, language: Language) -> None:
    """Draw the switch; the choice holds on every page and after a reload."""
    st.session_state.setdefault(KEY, language)
    st.segmented_control(
        "语言 · Language",
        LANGUAGES,
        format_func=SHORT_NAMES.__getitem__,
        key=KEY,
        required=True,
        persist_state="session",
        label_visibility="collapsed",
        on_change=_keep,
        args=(session,),
    )


def _keep(session: Session) -> None:
    session.saved_form.keep(language=st.session_state[KEY])
