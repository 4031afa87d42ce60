"""The blind listening's tab: two recordings of a text, one judgement, sealed until the last."""

from __future__ import annotations

import secrets
from typing import Final

import streamlit as st

from glmtts_core.diagnostics import listening
from glmtts_core.diagnostics.arms import shipped_texts
from glmtts_core.diagnostics.experiment_folders import AUDIO_FOLDER
from glmtts_core.diagnostics.findings import Findings
from glmtts_core.diagnostics.listening import RATINGS, BlindTest, Preference
from glmtts_core.diagnostics.report import listening_words
from glmtts_core.diagnostics.wording import arm_name
from glmtts_core.errors import GLMTTSError
from glmtts_core.ui.diagnostics_results import kept_listening, newest
from glmtts_core.ui.diagnostics_run import laboratory
from glmtts_core.ui.shell import Page

_TEST: Final = "listening_test"
_ERROR: Final = "listening_error"


def show(page: Page) -> None:
    """Draw the tab."""
    st.caption(page.text("diagnostics.listening_help"))
    found = newest(page)
    arms = _arms_with_audio(page, found)
    if found is None or len(arms) < 2:
        st.info(page.text("diagnostics.listening_first"))
        return
    problem = st.session_state.get(_ERROR)
    if isinstance(problem, GLMTTSError):
        st.error(problem.text(page.language))
    test = st.session_state.get(_TEST)
    if isinstance(test, BlindTest) and test.pair is not None:
        _pair(page, test)
        return
    _outcome(page, found)
    _choice(page, found, arms)


def _arms_with_audio(page: Page, found: Findings | None) -> list[str]:
    folder = laboratory(page).folder
    if found is None or folder is None:
        return []
    arms = [arm.id for arm in found.experiment.arms]
    return [arm for arm in arms if any((folder / AUDIO_FOLDER / arm).glob("*.wav"))]


def _choice(page: Page, found: Findings, arms: list[str]) -> None:
    names = {arm.id: arm_name(arm, page.language) for arm in found.experiment.arms}
    columns = st.columns(2)
    chosen = [
        column.selectbox(
            page.text("diagnostics.listening_arm", number=number),
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
        args=(page, *chosen),
        disabled=chosen[0] == chosen[1],
    )


def _begin(page: Page, arm: str, other: str) -> None:
    folder = laboratory(page).folder
    if folder is None:
        return
    texts = {f"growing-{index}": text for index, text in enumerate(shipped_texts().growing)}
    st.session_state[_ERROR] = None
    try:
        seed = secrets.randbits(32)
        st.session_state[_TEST] = BlindTest(folder / AUDIO_FOLDER, arm, other, texts, seed)
    except GLMTTSError as error:
        st.session_state[_ERROR] = error


def _pair(page: Page, test: BlindTest) -> None:
    pair = test.pair
    assert pair is not None
    st.progress(
        test.judged / test.count,
        page.text("diagnostics.listening_pair", number=test.judged + 1, count=test.count),
    )
    st.markdown(f"> {pair.text or shipped_texts().timed}")
    for column, name, path in zip(
        st.columns(2), ("first", "second"), (pair.first, pair.second), strict=True
    ):
        with column:
            st.markdown(f"**{page.text(f'diagnostics.recording.{name}')}**")
            st.audio(path.read_bytes(), format="audio/wav")
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
                args=(page, test, preference),
            )


def _judge(page: Page, test: BlindTest, preference: Preference) -> None:
    first, second = (st.session_state.get(_rating_key(test, name)) for name in ("first", "second"))
    test.judge(preference, (first, second))
    folder = laboratory(page).folder
    if test.finished and folder is not None:
        try:
            listening.save(test.result(), folder)
        except GLMTTSError as error:
            st.session_state[_ERROR] = error


def _rating_key(test: BlindTest, name: str) -> str:
    return f"listening_rating_{name}_{test.judged}"


def _outcome(page: Page, found: Findings) -> None:
    kept = kept_listening(page)
    if kept is not None:
        st.success(listening_words(kept, found, page.language), icon=":material/hearing:")
