"""All runs: those that go on, those that can be resumed, those of the past."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.batch.registry import Batches, RunListing, UnreadableRun
from glmtts_core.batch.states import RunState, RunSummary
from glmtts_core.ui.batch.draft import steer
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.markdown import plain

#: Id of the run that the page shows; None shows what is needed to begin one.
SHOWN_RUN: Final = "batch_shown_run"
#: Name of the run's id in the address, so that a reload and a link find it again.
RUN_PARAMETER: Final = "run"
_FIRST_ROWS: Final = 8
_ALL: Final = "batch_all_runs"
_CONFIRM: Final = "batch_confirm_removal"


def offers(page: Page, runs: tuple[RunSummary, ...]) -> None:
    """Draw a line for each run that goes on, and for those that were cut short."""
    for run in runs:
        if run.state not in (RunState.RUNNING, RunState.INTERRUPTED):
            continue
        counts = run.counts
        lines = counts.total - counts.set_aside
        with st.container(border=True, horizontal=True, wrap=False, vertical_alignment="center"):
            words = page.markdown(
                f"batch.offer.{run.state.value}",
                name=run.name,
                done=f"{counts.done:,}",
                lines=f"{lines:,}",
            )
            st.markdown(words, width="stretch")
            st.button(
                page.text("batch.show_run"),
                key=f"batch_offer_{run.id}",
                on_click=choose,
                args=(run.id,),
                icon=":material/arrow_forward:",
            )


def past(page: Page, batches: Batches, listing: RunListing) -> None:
    """Draw the list of runs, newest first, and those that cannot be read with what is wrong."""
    runs, unreadable = listing.runs, listing.unreadable
    if not runs and not unreadable:
        return
    st.subheader(page.markdown("batch.past", count=len(runs) + len(unreadable)), anchor=False)
    for each in unreadable:
        _unreadable_row(page, batches, each)
    limit = None if st.session_state.get(_ALL) else _FIRST_ROWS
    for run in runs[:limit]:
        _row(page, batches, run)
    if limit is not None and len(runs) > limit:
        st.button(
            page.markdown("history.show_all", count=len(runs)),
            key="batch_show_all_runs",
            type="tertiary",
            on_click=lambda: st.session_state.update({_ALL: True}),
        )


def _row(page: Page, batches: Batches, run: RunSummary) -> None:
    counts = run.counts
    with st.container(
        horizontal=True, wrap=False, vertical_alignment="center", key=f"batch_run_{run.id}"
    ):
        st.button(
            page.text("batch.show_run"),
            key=f"batch_show_{run.id}",
            on_click=choose,
            args=(run.id,),
            icon=":material/arrow_forward:",
        )
        facts = page.markdown(
            "batch.past_facts",
            state=page.text(f"batch.run_state.{run.state.value}"),
            done=f"{counts.done:,}",
            failed=f"{counts.failed:,}",
            waiting=f"{counts.queued + counts.skipped + counts.running:,}",
            set_aside=f"{counts.set_aside:,}",
        )
        when = f"{run.created_at:%Y-%m-%d %H:%M}"
        st.markdown(f"{plain(run.name)}  \n:small[:gray[{when} · {facts}]]", width="stretch")
        _remove_button(page, batches, run.id, disabled=run.state is RunState.RUNNING)


def _unreadable_row(page: Page, batches: Batches, run: UnreadableRun) -> None:
    with st.container(
        horizontal=True, wrap=False, vertical_alignment="center", key=f"batch_run_{run.id}"
    ):
        st.warning(f"**{plain(run.id)}**  \n{page.message(run.error)}")
        _remove_button(page, batches, run.id)


def _remove_button(page: Page, batches: Batches, run_id: str, *, disabled: bool = False) -> None:
    sure = st.session_state.get(_CONFIRM) == run_id
    st.button(
        page.text("batch.remove_sure" if sure else "history.delete"),
        key=f"batch_remove_{run_id}",
        on_click=_remove,
        args=(batches, run_id),
        icon=":material/delete:",
        type="secondary" if sure else "tertiary",
        disabled=disabled,
    )


def choose(run_id: str | None) -> None:
    """Show a run, or with None what is needed to begin one."""
    st.session_state[SHOWN_RUN] = run_id
    if run_id is None:
        st.query_params.pop(RUN_PARAMETER, None)
    else:
        st.query_params[RUN_PARAMETER] = run_id


def _remove(batches: Batches, run_id: str) -> None:
    """Delete a run at the second click: its sounds are hours of work."""
    if st.session_state.get(_CONFIRM) != run_id:
        st.session_state[_CONFIRM] = run_id
        return
    st.session_state[_CONFIRM] = None
    steer(lambda: batches.remove(run_id))
