"""The synthesis form: text, voice, advanced settings, start."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from glmtts_core.engines.voice_language import foreign_voice
from glmtts_core.errors import GLMTTSError
from glmtts_core.escaping import html
from glmtts_core.speech import SynthesisRequest
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared import browser_session, cleanup_button, engine_choice, reading_view
from glmtts_core.ui.shared.fields import NOT_KEPT, keep, prefill
from glmtts_core.ui.shared.speaking import Speaking
from glmtts_core.ui.synthesis.result_view import SELECTED

_TEXT: Final = "form_text"
_ADVANCED: Final = "form_advanced"
_ERROR: Final = "form_error"


def text_and_voice(page: Page) -> None:
    """Draw the text, and the voice and speed under it."""
    saved = page.session.saved_form.form
    limit = page.session.studio.settings.max_text_chars
    prefill(_TEXT, page.text("form.sample_text") if saved.text is None else saved.text)
    st.subheader(page.text("form.text"), anchor=False)
    st.text_area(
        page.text("form.text"),
        key=_TEXT,
        persist_state="session",
        height=140,
        label_visibility="collapsed",
        placeholder=page.text("form.text_placeholder"),
        on_change=keep,
        args=(page, "text", _TEXT),
    )
    count = len(st.session_state[_TEXT])
    counted = page.text("form.characters", count=count, limit=limit)
    st.html(f'<div class="glm-muted">{html(counted)}</div>')
    engine_choice.show(page)
    _speaking(page).draw_voice_and_speed()


def about_the_text(page: Page) -> None:
    """Draw what is to be known of the text as it stands: an accent, what will be heard.

    It comes under the start button. A press of the button right after typing makes the page take
    the text first: what changes above the button would move it away from under the pointer, and
    the press would be lost.
    """
    text = st.session_state[_TEXT]
    _foreign_voice(page, text)
    reading_view.show(page, text, _speaking(page).voice)


def _foreign_voice(page: Page, text: str) -> None:
    """Say that the voice has an accent in the text's language, and which one has none."""
    speaking = _speaking(page)
    asked = SynthesisRequest(text=text, voice=speaking.voice, second_voice=speaking.second_voice)
    found = foreign_voice(asked, page.session.capabilities)
    if found is not None:
        native = page.text(found.native.label_key).replace(" ", "\u00a0")  # on one line
        st.caption(page.message(found.message(native)))


def advanced(page: Page) -> None:
    """Draw the advanced settings, folded; they end in the cleanup button."""
    with st.expander(page.text("form.advanced"), key=_ADVANCED):
        _speaking(page).draw_advanced()
        cleanup_button.button_with_outcome(page.session, page.language, key="advanced_cleanup")


def start_button(page: Page) -> None:
    """Draw the start button and, under it, what keeps the request from starting."""
    job = page.session.job
    busy = job is not None and not job.finished
    st.button(
        page.text("form.start"),
        key="start_synthesis",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(page,),
        disabled=busy,
        width="stretch",
    )
    if not_kept := st.session_state.get(NOT_KEPT):
        st.warning(page.markdown("form.not_kept", reason=not_kept))
    error = st.session_state.get(_ERROR)
    if isinstance(error, GLMTTSError):
        st.error(page.message(error))


def _start(page: Page) -> None:
    if not browser_session.still_there(page.session):
        return  # the page that is about to be drawn says that another tab has the session
    st.session_state[_ERROR] = None
    state: dict[str, Any] = dict(st.session_state.items())  # type: ignore[arg-type]
    page.session.saved_form.keep(text=state[_TEXT])
    try:
        page.session.submit(_request(page, state))
    except GLMTTSError as error:
        st.session_state[_ERROR] = error
    else:
        # the new result is what the user wants to hear, whatever was replayed before
        st.session_state[SELECTED] = None


def _request(page: Page, state: dict[str, Any]) -> SynthesisRequest:
    """Return what the form asks for; controls that the engine lacks are left out."""
    cloning = page.session.capabilities.voice_cloning
    reference = page.session.reference() if cloning else None
    options = _speaking(page).options()
    return SynthesisRequest(text=state[_TEXT], reference=reference, **options.values())


def _speaking(page: Page) -> Speaking:
    return Speaking(page, "form", page.session.saved_form.form, keep)
