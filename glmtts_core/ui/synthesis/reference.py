"""The reference recording: upload, microphone, its text; kept on disk, not in the page."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.audio import decode
from glmtts_core.engines.glmtts.reference_check import check_reference, reference_hints
from glmtts_core.errors import AudioError, GLMTTSError
from glmtts_core.message import Message
from glmtts_core.sound_files.formats import AUDIO_SUFFIXES
from glmtts_core.speech import ReferenceAudio
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared import cloning_notice
from glmtts_core.ui.shared.fields import keep, prefill
from glmtts_core.ui.shared.markdown import plain

_TRANSCRIPT: Final = "form_transcript"
_UPLOAD: Final = "form_upload"
_RECORDING: Final = "form_recording"
_UPLOAD_ROUND: Final = "form_upload_round"
_REFERENCE_TYPES: Final = sorted(suffix[1:] for suffix in AUDIO_SUFFIXES)
#: The largest recording that is taken, in MB: a minute of stereo WAV at 48 kHz has 12.
_MAX_REFERENCE_MB: Final = 50


def show(page: Page) -> None:
    """Draw the reference recording's part; the recording is kept on disk, not in the page."""
    st.subheader(page.text("form.reference"), anchor=False)
    if page.session.capabilities.voice_cloning:
        st.caption(page.text("form.reference_hint"))
        cloning_notice.show(page)
    else:
        engine = page.session.capabilities.engine
        st.caption(page.markdown("form.reference_unused", engine=engine))
        if (lacking := page.session.studio.lacking) is not None:
            st.caption(page.message(lacking))
    if page.session.saved_form.form.reference_name is None:
        _ask_for_reference(page)
    else:
        _show_reference(page)
    prefill(_TRANSCRIPT, page.session.saved_form.form.reference_transcript or "")
    st.text_input(
        page.text("form.transcript"),
        key=_TRANSCRIPT,
        persist_state="session",
        placeholder=page.text("form.transcript_placeholder"),
        on_change=keep,
        args=(page, "reference_transcript", _TRANSCRIPT),
    )


def _ask_for_reference(page: Page) -> None:
    # a widget of a new round is empty: the way to reset an uploader after its file was removed
    used = st.session_state.get(_UPLOAD_ROUND, 0)
    upload_tab, record_tab = st.tabs([page.text("form.upload_tab"), page.text("form.record_tab")])
    uploaded = upload_tab.file_uploader(
        page.text("form.upload"),
        type=_REFERENCE_TYPES,
        key=f"{_UPLOAD}_{used}",
        max_upload_size=_MAX_REFERENCE_MB,
    )
    recorded = record_tab.audio_input(
        page.text("form.record"), sample_rate=48_000, key=f"{_RECORDING}_{used}"
    )
    given = recorded or uploaded
    if given is None:
        return
    data = given.getvalue()
    name = given.name if given is uploaded else page.text("form.recording_name")
    try:
        decode(data, name, max_s=page.session.studio.settings.max_reference_s, mono=True)
    except GLMTTSError as error:
        st.error(page.message(error))
        return
    if reason := page.session.saved_form.keep_reference(data, name):
        st.error(page.markdown("form.reference_not_kept", reason=reason))
        return
    _next_round()
    st.rerun()


def _show_reference(page: Page) -> None:
    name = page.session.saved_form.form.reference_name or ""
    data = page.session.saved_form.reference()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/mic: {plain(name)}", width="stretch")
        st.button(
            page.text("form.remove_reference"),
            key="remove_reference",
            on_click=_remove_reference,
            args=(page,),
            icon=":material/close:",
            type="tertiary",
        )
    if data is None:
        st.warning(page.text("form.reference_gone"))
    else:
        st.audio(data)
        if page.session.capabilities.voice_cloning:
            _tell_of_use(page, data, name)


def _tell_of_use(page: Page, data: bytes, name: str) -> None:
    """Say what keeps the recording from being cloned, or would make the result better."""
    error, hints = _judged(data, name, page.session.saved_form.form.reference_transcript or "")
    if error is not None:
        st.error(page.message(error))
    for hint in hints:
        st.caption(page.message(hint))


# by content, since every rerun of the page asks; only sentences are kept
@st.cache_data(max_entries=32, show_spinner=False)
def _judged(data: bytes, name: str, transcript: str) -> tuple[Message | None, tuple[Message, ...]]:
    audio = decode(data, name, mono=True)
    reference = ReferenceAudio(audio.samples, audio.sample_rate_hz, name, transcript)
    try:
        check_reference(reference)
    except AudioError as error:
        return error.message, ()
    return None, reference_hints(reference)


def _remove_reference(page: Page) -> None:
    page.session.saved_form.drop_reference()
    _next_round()


def _next_round() -> None:
    st.session_state[_UPLOAD_ROUND] = st.session_state.get(_UPLOAD_ROUND, 0) + 1
