"""The 🧹 button, what it promises, and the report after a click."""

from __future__ import annotations

import streamlit as st

from glmtts_core.catalogue import Language, text
from glmtts_core.escaping import Html, html
from glmtts_core.memory.cleanup import CleanupLevel, CleanupReport
from glmtts_core.sessions.session import Session
from glmtts_core.studio.state import EngineState
from glmtts_core.ui.shared.markdown import Markdown, message_markdown, sentence
from glmtts_core.ui.shared.quantities import seconds, size


def button(
    session: Session, language: Language, *, key: str, label: Markdown | None = None
) -> None:
    """Draw the button; the click runs before anything else, so no form field is touched."""
    st.button(
        label or text("cleanup.button", language),
        key=key,
        on_click=session.clean,
        args=(CleanupLevel.TRIM,),
        disabled=session.cleanup_pending,
        help=text("cleanup.help", language),
        width="stretch",
    )


def labelled_button(session: Session, language: Language, *, key: str) -> None:
    """Draw the button with what it promises to give back."""
    promise = session.promise()
    about = "" if promise.exact else "≈ "
    label = sentence("cleanup.button_promise", language, size=f"{about}{size(promise.bytes)}")
    button(session, language, key=key, label=label)


def button_with_outcome(session: Session, language: Language, *, key: str) -> None:
    """Draw the button and what came of it; while a cleanup waits, look every second."""

    def draw() -> None:
        button(session, language, key=key)
        outcome(session, language)

    st.fragment(draw, run_every=1.0 if session.cleanup_pending else None)()


def engine_buttons(session: Session, language: Language) -> None:
    """Draw the small buttons: load the engine ahead of its first use, or take its weights away."""
    state = session.studio.state(session.engine).engine
    if state is EngineState.NOT_LOADED:
        st.button(
            text("engine_state.load", language),
            key="load_model",
            on_click=session.load,
            type="tertiary",
        )
        return
    engine = session.studio.engines.find(session.engine)
    for level in (CleanupLevel.OFFLOAD, CleanupLevel.UNLOAD):
        if level in session.capabilities.release_levels:
            st.button(
                text(f"cleanup.level.{level}", language),
                key=f"{level}_model",
                on_click=session.clean,
                args=(level,),
                disabled=session.cleanup_pending
                or state is EngineState.LOADING
                or (level is CleanupLevel.OFFLOAD and not engine.ready),
                help=text(f"cleanup.level_help.{level}", language),
                type="tertiary",
            )


def outcome(session: Session, language: Language) -> None:
    """Draw the report, the error or the note that the cleanup waits."""
    session.poll_cleanup()
    if session.cleanup_pending:
        pending = text(f"cleanup.pending.{session.pending_level.value}", language)
        st.html(f'<div class="glm-report">{html(pending)}</div>')
    elif session.cleanup_error is not None:
        st.warning(message_markdown(session.cleanup_error, language))
    elif session.cleanup_report is not None:
        st.html(f'<div class="glm-report">✓ {_report(session.cleanup_report, language)}</div>')


def _report(report: CleanupReport, language: Language) -> Html:
    about = "" if report.promised.exact else "≈ "
    words = text(
        "cleanup.report",
        language,
        promised=about + size(report.promised.bytes),
        regained=size(report.regained_bytes),
        seconds=seconds(report.seconds),
    )
    gap = "" if language == "zh" else " "
    return html(words + gap + text(report.next_cost, language))
