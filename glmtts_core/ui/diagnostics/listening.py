"""The blind listening's tab: two recordings of a text, one judgement, sealed until the last."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st

from glmtts_core.diagnostics.experiment import shipped_texts
from glmtts_core.diagnostics.experiment_folders import AUDIO_FOLDER
from glmtts_core.diagnostics.labels import arm_name, listening_words
from glmtts_core.diagnostics.research import listening
from glmtts_core.diagnostics.research.blind_listening import BlindTest
from glmtts_core.diagnostics.research.listening import RATINGS, Preference
from glmtts_core.errors import GLMTTSError
from glmtts_core.ui.diagnostics.experiment import Shown, choose, kept_listening, shown
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.markdown import plain

_TEST: Final = "listening_test"
_ERROR: Final = "listening_error"


@dataclass(frozen=True, slots=True)
class _Begun:
    """A test and the experiment whose recordings it plays; a newer one may come meanwhile."""

    test: BlindTest
    folder: Path


def show(page: Page) -> None:
    """Draw the tab."""
    st.caption(page.text("diagnostics.listening_help"))
    error = st.session_state.get(_ERROR)
    if isinstance(error, GLMTTSError):
        st.error(page.message(error))
    begun = st.session_state.get(_TEST)
    if isinstance(begun, _Begun) and begun.test.pair is not None:
        _pair(page, begun)
        return
    kept = shown(page)
    arms = [] if kept is None else _arms_with_audio(kept)
    if kept is None or len(arms) < 2:
        st.info(page.text("diagnostics.listening_first"))
        return
    choose(page)
    _outcome(page, kept)
    _choice(page, kept, arms)


def _arms_with_audio(kept: Shown) -> list[str]:
    arms = [arm.id for arm in kept.found.experiment.arms]
    return [arm for arm in arms if any((kept.folder / AUDIO_FOLDER / arm).glob("*.wav"))]


def _choice(page: Page, kept: Shown, arms: list[str]) -> None:
    names = {arm.id: arm_name(arm, page.language) for arm in kept.found.experiment.arms}
    columns = st.columns(2)
    chosen = [
        column.selectbox(
            page.markdown("diagnostics.listening_arm", number=number),
            arms,
            index=number - 1,
            format_func=names.__getitem__,
            key=f"listening_arm_{number}",
        )
        for number, column in enumerate(columns, start=1)
    ]
    st.button(
        page.text("diagnostics.listening_start"),
        key="listening_start",
        icon=":material/headphones:",
        on_click=_begin,
        args=(kept.folder, *chosen),
        disabled=chosen[0] == chosen[1],
    )


def _begin(folder: Path, arm: str, other: str) -> None:
    texts = {f"growing-{index}": text for index, text in enumerate(shipped_texts().growing)}
    st.session_state[_ERROR] = None
    try:
        seed = secrets.randbits(32)
        test = BlindTest(folder / AUDIO_FOLDER, arm, other, texts, seed)
        st.session_state[_TEST] = _Begun(test, folder)
    except GLMTTSError as error:
        st.session_state[_ERROR] = error


def _pair(page: Page, begun: _Begun) -> None:
    test, pair = begun.test, begun.test.pair
    assert pair is not None
    try:
        recordings = [path.read_bytes() for path in (pair.first, pair.second)]
    except OSError as error:
        st.session_state[_TEST] = None
        reason = error.strerror or error
        st.error(page.markdown("storage.read", name=error.filename, reason=reason))
        return
    st.progress(
        test.judged / test.count,
        page.markdown("diagnostics.listening_pair", number=test.judged + 1, count=test.count),
    )
    st.markdown(f"> {plain(pair.text or shipped_texts().timed, limit=None)}")
    for column, name, recording in zip(st.columns(2), ("first", "second"), recordings, strict=True):
        with column:
            st.markdown(f"**{page.text(f'diagnostics.recording.{name}')}**")
            st.audio(recording, format="audio/wav")
            st.segmented_control(
                page.text("diagnostics.listening_rating"),
                RATINGS,
                key=_rating_key(test, name),
                help=page.text("diagnostics.listening_rating_help"),
            )
    with st.container(horizontal=True):
        for preference in Preference:
            st.button(
                page.text(f"diagnostics.prefer.{preference.value}"),
                key=f"listening_prefer_{preference.value}",
                on_click=_judge,
                args=(begun, preference),
            )


def _judge(begun: _Begun, preference: Preference) -> None:
    test = begun.test
    first, second = (st.session_state.get(_rating_key(test, name)) for name in ("first", "second"))
    test.judge(preference, (first, second))
    if test.finished:
        try:
            listening.save(test.result(), begun.folder)
        except GLMTTSError as error:
            st.session_state[_ERROR] = error


def _rating_key(test: BlindTest, name: str) -> str:
    return f"listening_rating_{name}_{test.judged}"


def _outcome(page: Page, kept: Shown) -> None:
    heard = kept_listening(page, kept.folder)
    if heard is not None:
        words = listening_words(heard, kept.found, page.language)
        st.success(plain(words, limit=None), icon=":material/hearing:")
