"""The batch page: a run, or what is needed to begin one."""

from __future__ import annotations

import streamlit as st

from glmtts_core.batch.registry import Batches, RunListing, batches_of
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import LineState, RunState
from glmtts_core.batch_draft.draft import BatchDraft, InputCheck
from glmtts_core.batch_draft.dry_run import missing_from
from glmtts_core.batch_files.lines import RunDefaults
from glmtts_core.errors import GLMTTSError
from glmtts_core.ui.batch import file_check, file_input, past, settings
from glmtts_core.ui.batch import run as batch_run
from glmtts_core.ui.batch.draft import draft_of, keep_errors, show_errors, steer
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.fields import NOT_KEPT


def show(page: Page) -> None:
    """Draw the page."""
    batches = batches_of(page.session.studio)
    run = _shown_run(batches)
    if run is None:
        _new(page, batches)
    else:
        try:
            _run(page, run)
        except GLMTTSError as error:
            st.error(page.message(error))


def _shown_run(batches: Batches) -> BatchRun | None:
    wanted = st.session_state.get(past.SHOWN_RUN)
    if past.SHOWN_RUN not in st.session_state:
        wanted = st.query_params.get(past.RUN_PARAMETER)
    if wanted is None:
        return None
    try:
        run = batches.run(wanted)
        run.view()
    except GLMTTSError as error:
        past.choose(None)
        keep_errors(error)
        return None
    past.choose(wanted)
    return run


# -- a run -------------------------------------------------------------------------------------


def _run(page: Page, run: BatchRun) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        batch_run.heading(run)
        st.button(
            page.text("batch.back"),
            key="batch_back",
            on_click=past.choose,
            args=(None,),
            icon=":material/arrow_back:",
            type="tertiary",
        )
    show_errors(page)
    batch_run.show(page, run)
    view = run.view()
    if view.state is RunState.RUNNING:
        return
    with st.container(horizontal=True):
        if view.counts.done:
            batch_run.downloads(page, run)
        if view.counts.set_aside or view.counts.failed:
            st.button(
                page.text("batch.amend"),
                key="batch_amend",
                on_click=steer,
                args=(lambda: _amend(page, run),),
                icon=":material/edit:",
            )


def _amend(page: Page, run: BatchRun) -> None:
    """Take the run's own file as the next draft, to be corrected."""
    store = run.store
    data = store.read_input()
    draft_of(page).amend(run.id, data, run.header.name, store.references.folder)
    past.choose(None)


# -- what is needed to begin one ---------------------------------------------------------------


def _new(page: Page, batches: Batches) -> None:
    draft = draft_of(page)
    amended = _amended_run(batches, draft)
    listing = _listing(batches)
    past.offers(page, listing.runs)
    if amended is not None:
        _amending(page, draft, amended)
    show_errors(page)
    defaults = _defaults(page, draft) if amended is None else amended.header.defaults
    if draft.name is None:
        left, right = st.columns([3, 2], gap="large")
        with left:
            file_input.ask_for_file(page, draft)
            _settings(page, draft, amended)
        with right:
            file_input.sample(page)
    else:
        check = file_check.heading(page, draft, defaults)
        _start_button(page, batches, draft, check, amended)
        failed = _failed(page, amended, check) if amended is not None else None
        file_check.problems(page, draft, check, failed)
        _settings(page, draft, amended)
        file_check.preview(page, check, defaults)
    past.past(page, batches, listing)


def _defaults(page: Page, draft: BatchDraft) -> RunDefaults:
    return settings.run_defaults(page, draft.references.names())


def _amended_run(batches: Batches, draft: BatchDraft) -> BatchRun | None:
    if draft.amends is None:
        return None
    try:
        run = batches.run(draft.amends)
        run.view()
    except GLMTTSError as error:
        if error.message.key == "batch.run.missing":
            # it was deleted meanwhile, and its corrected file with it
            draft.drop()
        keep_errors(error)
        return None
    return run


def _listing(batches: Batches) -> RunListing:
    try:
        return batches.listing()
    except GLMTTSError as error:
        keep_errors(error)
        return RunListing((), ())


def _amending(page: Page, draft: BatchDraft, run: BatchRun) -> None:
    with st.container(border=True, horizontal=True, wrap=False, vertical_alignment="center"):
        words = page.markdown("batch.amending", name=run.header.name, id=run.id)
        st.markdown(words, width="stretch")
        st.button(
            page.text("batch.amend_stop"),
            key="batch_amend_stop",
            on_click=draft.drop,
            type="tertiary",
        )


def _failed(page: Page, run: BatchRun, check: InputCheck) -> dict[int, str]:
    """Return, by line number, why lines failed that are still unchanged in the file."""
    lines = check.result.lines if check.result is not None else ()
    rows = run.lines.rows({LineState.FAILED})
    known = {row.line.input_hash: row.status.reason for row in rows}
    uttids = {row.line.uttid for row in rows}
    found = {line.number: known.get(line.input_hash) for line in lines if line.uttid in uttids}
    return {number: reason.text(page.language) for number, reason in found.items() if reason}


def _settings(page: Page, draft: BatchDraft, amended: BatchRun | None) -> None:
    """Draw what holds for all lines; a run that is corrected keeps what it began with."""
    if amended is None:
        settings.voice_and_speed(page)
    file_input.references(page, draft, choose_one=amended is None)
    if amended is None:
        settings.advanced(page)


def _start_button(
    page: Page, batches: Batches, draft: BatchDraft, check: InputCheck, amended: BatchRun | None
) -> None:
    lines = check.result.lines if check.result is not None else ()
    missing = missing_from(lines, amended.lines.done_hashes())[0] if amended is not None else lines
    label = page.markdown("batch.start_none")
    if missing:
        label = page.markdown("batch.start", count=f"{len(missing):,}")
    st.button(
        label,
        key="batch_start",
        type="primary",
        icon=":material/play_arrow:",
        on_click=steer,
        args=(lambda: _start(page, batches, draft, check, amended),),
        disabled=not missing,
        width="stretch",
    )
    if not_kept := st.session_state.get(NOT_KEPT):
        st.warning(page.markdown("form.not_kept", reason=not_kept))
    if amended is not None and check.result is not None:
        kept = f"{len(lines) - len(missing):,}"
        st.caption(page.markdown("batch.amend_kept", count=kept))


def _start(
    page: Page, batches: Batches, draft: BatchDraft, check: InputCheck, amended: BatchRun | None
) -> None:
    if check.result is None:
        return
    references = draft.references.folder
    if amended is not None:
        run = amended
        run.amend(draft.data(), check.result, references)
    else:
        run = batches.create(
            draft.name or "",
            draft.data(),
            check.result,
            _defaults(page, draft),
            policy=settings.cleanup_policy(page),
            references=references,
        )
    past.choose(run.id)
    run.start()
    draft.drop()
