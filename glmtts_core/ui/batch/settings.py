"""What holds for every line of a run: voice, speed, reference, advanced settings, cleanups."""

from __future__ import annotations

from typing import Final, NamedTuple

import streamlit as st

from glmtts_core.batch.policy import DEFAULT_THRESHOLD_BYTES, CleanupPolicy
from glmtts_core.batch_files.lines import RunDefaults
from glmtts_core.byte_units import MIB
from glmtts_core.escaping import html
from glmtts_core.sessions.saved_form import MOST_EVERY_LINES, MOST_THRESHOLD_MIB
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared import cleanup_button, engine_choice
from glmtts_core.ui.shared.fields import keep_batch, prefill
from glmtts_core.ui.shared.speaking import Speaking

_REFERENCE: Final = "batch_reference"
_REFERENCE_TEXT: Final = "batch_reference_text"
_AT_THRESHOLD: Final = "batch_clean_at_threshold"
_THRESHOLD_MIB: Final = "batch_threshold_mib"
_EVERY: Final = "batch_clean_every"
_EVERY_LINES: Final = "batch_every_lines"
_AFTER_FAILURE: Final = "batch_clean_after_failure"
_EVERY_LINES_FIRST: Final = 10
_THRESHOLD_FIRST_MIB: Final = DEFAULT_THRESHOLD_BYTES // MIB


def voice_and_speed(page: Page) -> None:
    """Draw what most users set: the voice and the speed of lines that name none."""
    engine_choice.show(page)
    _speaking(page).draw_voice_and_speed()


def one_reference(page: Page, names: tuple[str, ...]) -> None:
    """Draw the choice of the default recording and the field for its transcript."""
    reference_column, text_column = st.columns([2, 3])
    kept = page.session.saved_form.form.batch
    st.session_state[_REFERENCE] = kept.reference_name if kept.reference_name in names else None
    reference_column.selectbox(
        page.text("batch.one_reference"),
        names,
        index=None,
        key=_REFERENCE,
        persist_state="session",
        placeholder=page.text("batch.one_reference_none"),
        on_change=keep_batch,
        args=(page, "reference_name", _REFERENCE),
    )
    prefill(_REFERENCE_TEXT, kept.reference_text)
    text_column.text_input(
        page.text("form.transcript"),
        key=_REFERENCE_TEXT,
        persist_state="session",
        placeholder=page.text("form.transcript_placeholder"),
        on_change=keep_batch,
        args=(page, "reference_text", _REFERENCE_TEXT),
    )


def advanced(page: Page) -> None:
    """Draw the advanced settings, folded; they end in the cleanup button."""
    with st.expander(page.text("form.advanced"), key="batch_advanced"):
        _speaking(page).draw_advanced()
        _cleanup_policy(page)
        cleanup_button.button_with_outcome(page.session, page.language, key="batch_cleanup")


def _cleanup_policy(page: Page) -> None:
    """Draw when the run cleans up; all three may hold, none of them means never."""
    st.markdown(f"**{page.text('batch.policy')}**", help=page.text("batch.policy_help"))
    kept = page.session.saved_form.form.batch
    prefill(_AT_THRESHOLD, kept.clean_at_threshold)
    prefill(_THRESHOLD_MIB, kept.threshold_mib or _THRESHOLD_FIRST_MIB)
    prefill(_EVERY, kept.clean_every)
    prefill(_EVERY_LINES, kept.every_lines or _EVERY_LINES_FIRST)
    prefill(_AFTER_FAILURE, kept.clean_after_failure)
    at_threshold = _Row("clean_at_threshold", "threshold_mib", _AT_THRESHOLD, _THRESHOLD_MIB)
    _policy_row(page, at_threshold, "batch.policy_threshold", "MiB", MOST_THRESHOLD_MIB)
    every = _Row("clean_every", "every_lines", _EVERY, _EVERY_LINES)
    _policy_row(
        page, every, "batch.policy_every", page.text("batch.policy_lines"), MOST_EVERY_LINES
    )
    st.checkbox(
        page.text("batch.policy_failure"),
        key=_AFTER_FAILURE,
        persist_state="session",
        on_change=keep_batch,
        args=(page, "clean_after_failure", _AFTER_FAILURE),
    )


class _Row(NamedTuple):
    """A switch with a number: the fields that keep them, and the widgets' keys."""

    field: str
    value_field: str
    key: str
    value_key: str


def _policy_row(page: Page, row: _Row, label_key: str, unit: str, most: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.checkbox(
            page.text(label_key),
            key=row.key,
            persist_state="session",
            on_change=keep_batch,
            args=(page, row.field, row.key),
        )
        st.number_input(
            page.text(label_key),
            1,
            most,
            key=row.value_key,
            persist_state="session",
            label_visibility="collapsed",
            disabled=not st.session_state[row.key],
            width=150,
            on_change=keep_batch,
            args=(page, row.value_field, row.value_key),
        )
        st.html(f'<div class="glm-muted">{html(unit)}</div>', width="content")


# -- what was chosen ---------------------------------------------------------------------------


def run_defaults(page: Page, references: tuple[str, ...]) -> RunDefaults:
    """Return what holds for lines that say nothing else; what the engine lacks is left out.

    Args:
        page: where it was chosen.
        references: names of the recordings that there are.
    """
    speaking, kept = _speaking(page), page.session.saved_form.form.batch
    chosen = kept.reference_name if kept.reference_name in references else None
    cloning = page.session.capabilities.voice_cloning
    return RunDefaults(
        reference_name=chosen if cloning else None,
        reference_text=kept.reference_text if cloning else "",
        **speaking.options().values(),
    )


def cleanup_policy(page: Page) -> CleanupPolicy:
    """Return when the run is to clean up."""
    kept = page.session.saved_form.form.batch
    threshold_mib = kept.threshold_mib or _THRESHOLD_FIRST_MIB
    return CleanupPolicy(
        threshold_bytes=threshold_mib * MIB if kept.clean_at_threshold else None,
        every_lines=(kept.every_lines or _EVERY_LINES_FIRST) if kept.clean_every else None,
        after_failure=kept.clean_after_failure,
    )


def _speaking(page: Page) -> Speaking:
    form = page.session.saved_form.form
    kept = form.batch.model_copy(update={"voice": form.batch.voice or form.voice})
    return Speaking(page, "batch", kept, keep_batch)
