"""What holds for every line of a run: voice, speed, reference, advanced settings, cleanups."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.batch.lines import RunDefaults
from glmtts_core.batch.policy import DEFAULT_THRESHOLD_BYTES, CleanupPolicy
from glmtts_core.session import SEEDS
from glmtts_core.ui import cleanup_button, engine_choice
from glmtts_core.ui.fields import prefill
from glmtts_core.ui.quantities import MIB
from glmtts_core.ui.shell import Page

_VOICE: Final = "batch_voice"
_CHOSEN_VOICE: Final = "batch_chosen_voice"
_SPEED: Final = "batch_speed"
_RATE: Final = "batch_sample_rate"
_SEED: Final = "batch_seed"
_SAMPLING: Final = "batch_sampling"
_HISTORY: Final = "batch_history"
_REFERENCE: Final = "batch_reference"
_REFERENCE_TEXT: Final = "batch_reference_text"
_AT_THRESHOLD: Final = "batch_clean_at_threshold"
_THRESHOLD_MIB: Final = "batch_threshold_mib"
_EVERY: Final = "batch_clean_every"
_EVERY_LINES: Final = "batch_every_lines"
_AFTER_FAILURE: Final = "batch_clean_after_failure"
_EVERY_LINES_FIRST: Final = 10


def voice_and_speed(page: Page) -> None:
    """Draw what most users set: the voice and the speed of lines that name none."""
    engine_choice.show(page)
    capabilities = page.session.capabilities
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
        prefill(_SPEED, 1.0)
        speed_column.slider(
            page.text("form.speed"),
            slowest,
            fastest,
            step=0.05,
            format="%.2f ×",
            key=_SPEED,
            persist_state="session",
        )


def one_reference(page: Page, names: tuple[str, ...]) -> None:
    """Draw the choice of the recording that lines speak with which name none, and its text."""
    reference_column, text_column = st.columns([2, 3])
    chosen = st.session_state.get(_REFERENCE)
    if chosen is not None and chosen not in names:
        st.session_state[_REFERENCE] = None
    reference_column.selectbox(
        page.text("batch.one_reference"),
        names,
        index=None,
        key=_REFERENCE,
        persist_state="session",
        placeholder=page.text("batch.one_reference_none"),
    )
    prefill(_REFERENCE_TEXT, "")
    text_column.text_input(
        page.text("form.transcript"),
        key=_REFERENCE_TEXT,
        persist_state="session",
        placeholder=page.text("form.transcript_placeholder"),
    )


def advanced(page: Page) -> None:
    """Draw the advanced settings, folded; they end in the cleanup button."""
    with st.expander(page.text("form.advanced"), key="batch_advanced"):
        _sample_rate(page)
        _sampling(page)
        _cleanup_policy(page)
        cleanup_button.button_with_outcome(page.session, page.language, key="batch_cleanup")


def _sample_rate(page: Page) -> None:
    rates = {rate.hz: rate for rate in page.session.capabilities.sample_rates}
    prefill(_RATE, next(iter(rates)))

    def label(hz: int) -> str:
        name = f"{hz // 1000} kHz"
        return page.text("form.resampled", rate=name) if rates[hz].resampled else name

    st.segmented_control(
        page.text("form.sample_rate"),
        list(rates),
        format_func=label,
        key=_RATE,
        required=True,
        persist_state="session",
    )


def _sampling(page: Page) -> None:
    capabilities = page.session.capabilities
    lacking = page.text("form.lacking", engine=capabilities.engine)
    seed_column, sampling_column = st.columns(2)
    seed_column.number_input(
        page.text("form.seed"),
        min_value=0,
        max_value=SEEDS - 1,
        value=None,
        key=_SEED,
        persist_state="session",
        placeholder=page.text("form.seed_random"),
        disabled=not capabilities.seed,
        help=page.text("form.seed_help") if capabilities.seed else lacking,
    )
    sampling_column.selectbox(
        page.text("form.sampling"),
        capabilities.sampling_methods,
        key=_SAMPLING,
        persist_state="session",
        disabled=not capabilities.sampling_methods,
        placeholder="–",
        help=page.text("form.sampling_help") if capabilities.sampling_methods else lacking,
    )
    st.toggle(
        page.text("form.history"),
        key=_HISTORY,
        persist_state="session",
        disabled=not capabilities.kv_history,
        help=page.text("form.history_help") if capabilities.kv_history else lacking,
    )


def _cleanup_policy(page: Page) -> None:
    """Draw when the run cleans up; all three may hold, none of them means never."""
    st.markdown(f"**{page.text('batch.policy')}**", help=page.text("batch.policy_help"))
    prefill(_AT_THRESHOLD, True)
    prefill(_THRESHOLD_MIB, DEFAULT_THRESHOLD_BYTES // MIB)
    prefill(_EVERY, False)
    prefill(_EVERY_LINES, _EVERY_LINES_FIRST)
    prefill(_AFTER_FAILURE, True)
    _policy_row(page, _AT_THRESHOLD, "batch.policy_threshold", _THRESHOLD_MIB, "MiB", 100_000)
    unit = page.text("batch.policy_lines")
    _policy_row(page, _EVERY, "batch.policy_every", _EVERY_LINES, unit, 1_000_000)
    st.checkbox(page.text("batch.policy_failure"), key=_AFTER_FAILURE, persist_state="session")


def _policy_row(page: Page, key: str, label_key: str, value_key: str, unit: str, most: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.checkbox(page.text(label_key), key=key, persist_state="session")
        st.number_input(
            page.text(label_key),
            1,
            most,
            key=value_key,
            persist_state="session",
            label_visibility="collapsed",
            disabled=not st.session_state[key],
            width=150,
        )
        st.html(f'<div class="glm-muted">{unit}</div>', width="content")


# -- what was chosen ---------------------------------------------------------------------------


def run_defaults(page: Page) -> RunDefaults:
    """Return what holds for lines that say nothing else; what the engine lacks is left out."""
    capabilities = page.session.capabilities
    methods = capabilities.sampling_methods
    state = st.session_state
    return RunDefaults(
        engine=page.session.engine,
        voice=_chosen_voice(page),
        speed=state.get(_SPEED) or 1.0,
        sample_rate_hz=state.get(_RATE) or capabilities.sample_rates[0].hz,
        seed=state.get(_SEED) if capabilities.seed else None,
        # before it is drawn for the first time, a selectbox has no value yet
        sampling=next((each for each in methods if each == state.get(_SAMPLING)), methods[0])
        if methods
        else None,
        use_history=bool(state.get(_HISTORY)) and capabilities.kv_history,
        reference_name=state.get(_REFERENCE) if capabilities.voice_cloning else None,
        reference_text=(state.get(_REFERENCE_TEXT) or "") if capabilities.voice_cloning else "",
    )


def cleanup_policy() -> CleanupPolicy:
    """Return when the run is to clean up."""
    state = st.session_state
    threshold_mib = state.get(_THRESHOLD_MIB) or DEFAULT_THRESHOLD_BYTES // MIB
    return CleanupPolicy(
        threshold_bytes=threshold_mib * MIB if state.get(_AT_THRESHOLD, True) else None,
        every_lines=(state.get(_EVERY_LINES) or _EVERY_LINES_FIRST) if state.get(_EVERY) else None,
        after_failure=bool(state.get(_AFTER_FAILURE, True)),
    )


def _chosen_voice(page: Page) -> str | None:
    """Return the chosen voice's id, kept beside the widget, which loses it with the language."""
    voices = [voice.id for voice in page.session.capabilities.voices]
    chosen = st.session_state.get(_CHOSEN_VOICE) or page.session.draft.form.voice
    return chosen if chosen in voices else next(iter(voices), None)


def _keep_voice(page: Page) -> None:
    chosen = st.session_state[_VOICE]
    if chosen in [voice.id for voice in page.session.capabilities.voices]:
        st.session_state[_CHOSEN_VOICE] = chosen
