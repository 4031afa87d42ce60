"""What every page begins with: configuration, the session's handle, style and sidebar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import pandas as pd  # noqa: F401 - see below
import plotly.graph_objects  # noqa: F401
import streamlit as st

from glmtts_core.catalogue import Language, text
from glmtts_core.errors import GLMTTSError
from glmtts_core.message import Message
from glmtts_core.sessions.session import Session
from glmtts_core.studio.shared import get_studio
from glmtts_core.studio.studio import Studio
from glmtts_core.ui.shared import browser_session, sidebar, theme
from glmtts_core.ui.shared import language as ui_language
from glmtts_core.ui.shared.markdown import Markdown, message_markdown, sentence

# Streamlit imports pandas and Plotly on first use, in whatever session thread comes first, and
# Plotly breaks when it meets a half-imported pandas: both are imported here, before any page runs.


@dataclass(frozen=True, slots=True)
class Page:
    """What a page needs: its session and its language."""

    session: Session
    language: Language

    def text(self, key: str, /, **details: object) -> str:
        """Return a sentence of the catalogue in this page's language."""
        return text(key, self.language, **details)

    def markdown(self, key: str, /, **details: object) -> Markdown:
        """Return a sentence of the catalogue whose values take no effect as Markdown."""
        return sentence(key, self.language, **details)

    def message(self, what: Message | GLMTTSError) -> Markdown:
        """Return a message, or that of an error, to be put into Markdown."""
        return message_markdown(what, self.language)


def open_page(title_key: str) -> Page:
    """Configure the page, draw the sidebar and return what the page needs."""
    try:
        studio = get_studio()
    except GLMTTSError as error:
        _stop_with(error)
    session = browser_session.handle(studio)
    if session is None:
        _stop_as_taken_over(studio)
    language = ui_language.current(session)
    st.set_page_config(
        page_title=f"{text(title_key, language)} · GLM-TTS Studio", page_icon="🧹", layout="wide"
    )
    theme.apply()
    with st.sidebar:
        sidebar.show(session, language, browser_session.parameters(session))
    page = Page(session, language)
    st.header(page.text(title_key), anchor=False)
    return page


def _stop_as_taken_over(studio: Studio) -> NoReturn:
    language = ui_language.current(None)
    st.set_page_config(page_title="GLM-TTS Studio", page_icon="🧹", layout="wide")
    st.info(text("tab.taken_over", language))
    st.button(
        text("tab.take_back", language),
        key="take_back",
        on_click=browser_session.take_back,
        args=(studio,),
        type="primary",
    )
    st.stop()


def _stop_with(error: GLMTTSError) -> NoReturn:
    language = ui_language.current(None)
    st.set_page_config(page_title="GLM-TTS Studio", page_icon="🧹", layout="wide")
    st.error(message_markdown(error, language))
    st.stop()
