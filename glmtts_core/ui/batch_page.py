"""The batch page: a run, or what is needed to begin one."""

from __future__ import annotations

import streamlit as st

from glmtts_core.batch.draft import BatchDraft, Check
from glmtts_core.batch.registry import Batches, batches_of
from glmtts_core.batch.run import BatchRun
from glmtts_core.errors import GLMTTSError
from glmtts_core.ui import batch_check, batch_input, batch_past, batch_run, batch_settings
from glmtts_core.ui.batch_draft import draft_of, show_problems, tell
from glmtts_core.ui.shell import Page


def show(page: Page) -> None:
    """Draw the page."""
    batches = batches_of(page.session.studio)
    run = _shown_run(batches)
    if run is None:
        _new(page, batches)
    else:
        _run(page, run)


def _shown_run(batches: Batches) -> BatchRun | None:
    wanted = st.session_state.get(batch_past.SHOWN_RUN)
    if batch_past.SHOWN_RUN not in st.session_state:
        wanted = st.query_params.get(batch_past.RUN_PARAMETER)
    if wanted is None:
        return None
    try:
        run = batches.run(wanted)
    except GLMTTSError as error:
        batch_past.choose(None)
        tell(error)
        return None
    batch_past.choose(wanted)
    return run


# -- a run -------------------------------------------------------------------------------------


def _run(page: Page, run: BatchRun) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        batch_run.heading(run)
        st.button(
            page.text("batch.back"),
            key="batch_back",
            on_click=batch_past.choose,
            args=(None,),
            icon=":material/arrow_back:",
            type="tertiary",
        )
    show_problems(page)
    batch_run.show(page, run)


# -- what is needed to begin one ---------------------------------------------------------------


def _new(page: Page, batches: Batches) -> None:
    draft = draft_of(page)
    runs = batches.summaries()
    batch_past.offers(page, runs)
    show_problems(page)
    if draft.name is None:
        left, right = st.columns([3, 2], gap="large")
        with left:
            batch_input.ask_for_file(page, draft)
            _settings(page, draft)
        with right:
            batch_input.sample(page)
    else:
        check = batch_check.heading(page, draft, batch_settings.run_defaults(page))
        _start_button(page, batches, draft, check)
        batch_check.problems(page, draft, check)
        _settings(page, draft)
        batch_check.preview(page, check)
    batch_past.past(page, batches, runs)


def _settings(page: Page, draft: BatchDraft) -> None:
    batch_settings.voice_and_speed(page)
    batch_input.references(page, draft)
    batch_settings.advanced(page)


def _start_button(page: Page, batches: Batches, draft: BatchDraft, check: Check) -> None:
    ready = len(check.result.lines) if check.result is not None else 0
    st.button(
        page.text("batch.start", count=f"{ready:,}") if ready else page.text("batch.start_none"),
        key="batch_start",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(page, batches, draft, check),
        disabled=not ready,
        width="stretch",
    )


def _start(page: Page, batches: Batches, draft: BatchDraft, check: Check) -> None:
    if check.result is None:
        return
    tell()
    try:
        run = batches.create(
            draft.name or "",
            draft.data(),
            check.result,
            batch_settings.run_defaults(page),
            policy=batch_settings.cleanup_policy(),
            references=draft.references.folder,
        )
        batch_past.choose(run.id)
        run.start()
    except GLMTTSError as error:
        tell(error)
    else:
        draft.drop()
