"""The running job: stage, progress, time, cancel; polls, because a worker never calls the page."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.engines.labels import progress_line
from glmtts_core.studio.jobs import Job, JobState, JobView
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.markdown import Markdown, plain
from glmtts_core.ui.shared.quantities import seconds

_POLL_S: Final = 0.5


def show(page: Page) -> None:
    """Draw the session's job: live while it runs, else how it ended if that needs words."""
    job = page.session.job
    if job is None:
        return
    if job.finished:
        _ended(page, job.view())
    else:
        _live(page, job)


@st.fragment(run_every=_POLL_S)
def _live(page: Page, job: Job) -> None:
    view = job.view()
    if view.state.finished:
        # the whole page has something new to show: result, history, enabled buttons
        st.rerun(scope="app")
    with st.container(border=True):
        st.progress(min(1.0, view.progress.fraction), _line(page, job, view))
        st.button(
            page.text("job.cancel"),
            key="cancel_job",
            on_click=page.session.cancel,
            disabled=job.cancel_token.cancelled,
        )


def _line(page: Page, job: Job, view: JobView) -> Markdown:
    if view.state is JobState.QUEUED:
        return page.markdown("job.queued", place=page.session.studio.place_of(job))
    if job.cancel_token.cancelled:
        return page.markdown("job.cancelling")
    words = plain(progress_line(view.progress, page.language), limit=None)
    return Markdown(f"{words} · {seconds(view.elapsed_s)}")


def _ended(page: Page, view: JobView) -> None:
    if view.state is JobState.FAILED and view.error is not None:
        st.error(page.message(view.error))
    elif view.state is JobState.CANCELLED:
        st.info(page.text("job.cancelled"))
