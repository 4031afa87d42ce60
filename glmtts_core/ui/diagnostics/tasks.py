"""Shows a background task: its progress bar and cancel button, or its error."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from glmtts_core.diagnostics.tasks import Tasks
from glmtts_core.studio.background import BackgroundTask
from glmtts_core.ui.page import Page

_POLL_S: Final = 0.5


def tasks(page: Page) -> Tasks:
    """Return the studio's tasks."""
    return page.session.studio.services.get(Tasks, Tasks)


def task_name(page: Page, kind: str) -> str:
    """Return the name of this session's task of that kind."""
    return f"{kind}-{page.session.id}"


def running(page: Page, task: BackgroundTask[Any] | None, *, key: str) -> bool:
    """Draw the progress of a running task or the error of a failed one; return whether it runs."""
    if task is None:
        return False
    view = task.view()
    if view.running:
        st.fragment(_live, run_every=_POLL_S)(page, task, key)
    elif view.error is not None:
        st.error(page.message(view.error))
    return view.running


def _live(page: Page, task: BackgroundTask[Any], key: str) -> None:
    view = task.view()
    if not view.running:
        st.rerun(scope="app")
    st.progress(min(1.0, view.fraction), f"{view.fraction:.0%}")
    st.button(page.text("job.cancel"), key=key, on_click=task.cancel)
