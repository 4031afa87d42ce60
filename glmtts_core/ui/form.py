"""The synthesis form: text, voice, advanced settings, start."""

from __future__ import annotations

from html import escape
from typing import Any, Final

import streamlit as st

from glmtts_core.engines.base import SampleRate, SynthesisRequest
from glmtts_core.errors import GLMTTSError
from glmtts_core.session import SEEDS, new_seed
from glmtts_core.text.script import left_out
from glmtts_core.ui import browser_session, cleanup_button, engine_choice
from glmtts_core.ui.fields import NOT_KEPT, keep, prefill
from glmtts_core.ui.result_view import SELECTED
from glmtts_core.ui.shell import Page

_TEXT: Final = "form_text"
_VOICE: Final = "form_voice"
_SPEED: Final = "form_speed"
_RATE: Final = "form_sample_rate"
_SEED: Final = "form_seed"
_SAMPLING: Final = "form_sampling"
_HISTORY: Final = "form_history"
_ADVANCED: Final = "form_advanced"
_ERROR: Final = "form_error"
#: Left-out characters that are named; with more of them it is plain which script is meant.
_LEFT_OUT_SHOWN: Final = 12


def text_and_voice(page: Page) -> None:
    """Draw the text, and the voice and speed under it."""
    capabilities = page.session.capabilities
    draft = page.session.draft.form
    limit = page.session.studio.settings.max_text_chars
    prefill(_TEXT, page.text("form.sample_text") if draft.text is None else draft.text)
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
    st.html(
        '<div class="glm-muted">'
        + page.text("form.characters", count=len(st.session_state[_TEXT]), limit=limit)
        + "</div>"
    )
    _left_out(page, st.session_state[_TEXT])
    engine_choice.show(page)
    voice_column, speed_column = st.columns([3, 2])
    labels = {voice.id: page.text(voice.label_key) for voice in capabilities.voices}
    if labels:
        st.session_state[_VOICE] = _chosen_voice(page)
        voice_column.selectbox(
            page.text("form.voice"),
            list(labels),
            format_func=labels.__getitem__,
            key=_VOICE,
            persist_state="session",
            on_change=_keep_voice,
            args=(page,),
        )
    if capabilities.speed_range is not None:
        slowest, fastest = capabilities.speed_range
        prefill(_SPEED, 1.0 if draft.speed is None else draft.speed)
        speed_column.slider(
            page.text("form.speed"),
            slowest,
            fastest,
            step=0.05,
            format="%.2f ×",
            key=_SPEED,
            persist_state="session",
            on_change=keep,
            args=(page, "speed", _SPEED),
        )


def _left_out(page: Page, text: str) -> None:
    """Say which letters and signs will not be heard; an engine that clones reads other scripts."""
    found = [] if page.session.capabilities.voice_cloning else left_out(text)
    if found:
        shown = " ".join(found[:_LEFT_OUT_SHOWN]) + " …" * (len(found) > _LEFT_OUT_SHOWN)
        # as text: a caption would take some of these signs for markdown
        st.html(
            f'<div class="glm-muted">{escape(page.text("form.left_out", characters=shown))}</div>'
        )


def advanced(page: Page) -> None:
    """Draw the advanced settings, folded; they end in the cleanup button."""
    capabilities = page.session.capabilities
    lacking = page.text("form.lacking", engine=capabilities.engine)
    with st.expander(page.text("form.advanced"), key=_ADVANCED):
        _sample_rate(page)
        seed_column, sampling_column = st.columns(2)
        with seed_column:
            _seed(page, lacking)
        with sampling_column:
            _sampling(page, lacking)
        _history(page, lacking)
        if controls := _lacking_controls(page):
            st.caption(
                page.text("form.lacking_list", engine=capabilities.engine, controls=controls)
            )
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
        st.warning(page.text("form.not_kept", reason=not_kept))
    problem = st.session_state.get(_ERROR)
    if isinstance(problem, GLMTTSError):
        st.error(problem.text(page.language))


def _start(page: Page) -> None:
    if not browser_session.still_there(page.session):
        return  # the page that is about to be drawn says that another tab has the session
    st.session_state[_ERROR] = None
    state: dict[str, Any] = dict(st.session_state.items())  # type: ignore[arg-type]
    page.session.draft.keep(text=state[_TEXT])
    try:
        page.session.submit(_request(page, state))
    except GLMTTSError as error:
        st.session_state[_ERROR] = error
    else:
        # the new result is what the user wants to hear, whatever was replayed before
        st.session_state[SELECTED] = None


def _request(page: Page, state: dict[str, Any]) -> SynthesisRequest:
    """Return what the form asks for; controls that the engine lacks are left out."""
    capabilities = page.session.capabilities
    return SynthesisRequest(
        text=state[_TEXT],
        voice=_chosen_voice(page),
        sample_rate_hz=state.get(_RATE) or capabilities.sample_rates[0].hz,
        speed=state.get(_SPEED) or 1.0,
        seed=state.get(_SEED) if capabilities.seed else None,
        sampling=_chosen_sampling(page),
        use_history=bool(state.get(_HISTORY)) and capabilities.kv_history,
        reference=page.session.reference() if capabilities.voice_cloning else None,
        engine=page.session.engine,
    )


def _seed(page: Page, lacking: str) -> None:
    """Draw the seed and, beside it, the die that throws one."""
    offered = page.session.capabilities.seed
    prefill(_SEED, page.session.draft.form.seed)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            page.text("form.seed"),
            min_value=0,
            max_value=SEEDS - 1,
            value=None,
            key=_SEED,
            persist_state="session",
            placeholder=page.text("form.seed_random"),
            disabled=not offered,
            help=page.text("form.seed_help") if offered else lacking,
            on_change=keep,
            args=(page, "seed", _SEED),
        )
        if offered:
            st.button(
                page.text("form.seed_throw"),
                key="throw_seed",
                icon=":material/casino:",
                on_click=_throw_seed,
                args=(page,),
            )


def _throw_seed(page: Page) -> None:
    st.session_state[_SEED] = new_seed()
    keep(page, "seed", _SEED)


def _sampling(page: Page, lacking: str) -> None:
    methods = page.session.capabilities.sampling_methods
    kept = page.session.draft.form.sampling
    if methods:
        st.session_state[_SAMPLING] = kept if kept in methods else methods[0]
    st.selectbox(
        page.text("form.sampling"),
        methods,
        key=_SAMPLING,
        format_func=lambda method: page.text(f"sampling.{method}"),
        persist_state="session",
        disabled=not methods,
        placeholder="–",
        help=page.text("form.sampling_help") if methods else lacking,
        on_change=_keep_sampling,
        args=(page,),
    )


def _keep_sampling(page: Page) -> None:
    if st.session_state[_SAMPLING] in page.session.capabilities.sampling_methods:
        keep(page, "sampling", _SAMPLING)


def _history(page: Page, lacking: str) -> None:
    offered = page.session.capabilities.kv_history
    prefill(_HISTORY, page.session.draft.form.use_history)
    st.toggle(
        page.text("form.history"),
        key=_HISTORY,
        persist_state="session",
        disabled=not offered,
        help=page.text("form.history_help") if offered else lacking,
        on_change=keep,
        args=(page, "use_history", _HISTORY),
    )


def _sample_rate(page: Page) -> None:
    rates = {rate.hz: rate for rate in page.session.capabilities.sample_rates}
    kept = page.session.draft.form.sample_rate_hz
    prefill(_RATE, kept if kept in rates else next(iter(rates)))
    st.segmented_control(
        page.text("form.sample_rate"),
        list(rates),
        format_func=lambda hz: _rate_label(page, rates[hz]),
        key=_RATE,
        required=True,
        persist_state="session",
        on_change=keep,
        args=(page, "sample_rate_hz", _RATE),
    )


def _rate_label(page: Page, rate: SampleRate) -> str:
    name = f"{rate.hz // 1000} kHz"
    return page.text("form.resampled", rate=name) if rate.resampled else name


def _lacking_controls(page: Page) -> str:
    capabilities = page.session.capabilities
    lacking = {
        "form.seed": not capabilities.seed,
        "form.sampling": not capabilities.sampling_methods,
        "form.history": not capabilities.kv_history,
    }
    return page.text("form.list_separator").join(
        page.text(key) for key, lacks in lacking.items() if lacks
    )


def _chosen_voice(page: Page) -> str | None:
    """Return the id of the chosen voice.

    What was kept counts and not the widget: after a switch of language Streamlit hands over the
    label in the language before, as if it were the voice.
    """
    voices = [voice.id for voice in page.session.capabilities.voices]
    kept = page.session.draft.form.voice
    return kept if kept in voices else next(iter(voices), None)


def _chosen_sampling(page: Page) -> str | None:
    """Return the sampling method, as `_chosen_voice` does the voice."""
    methods = page.session.capabilities.sampling_methods
    kept = page.session.draft.form.sampling
    return kept if kept in methods else next(iter(methods), None)


def _keep_voice(page: Page) -> None:
    if st.session_state[_VOICE] in [voice.id for voice in page.session.capabilities.voices]:
        keep(page, "voice", _VOICE)
