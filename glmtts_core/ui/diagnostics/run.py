"""Starting an experiment, after asking, and following it; the same for laboratory and claims."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.diagnostics.experiment import Experiment
from glmtts_core.diagnostics.labels import arm_name
from glmtts_core.diagnostics.laboratory import (
    Laboratory,
    LaboratoryState,
    LaboratoryView,
    open_laboratory,
)
from glmtts_core.diagnostics.machine_facts import machine_facts
from glmtts_core.errors import GLMTTSError
from glmtts_core.escaping import html
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.markdown import Markdown, plain
from glmtts_core.ui.shared.quantities import seconds

#: Name of the folder of the experiment that is shown; empty for the newest.
CHOSEN: Final = "diagnostics_experiment"
_ASKED: Final = "diagnostics_asked"
_ERROR: Final = "diagnostics_error"
_POLL_S: Final = 1.0


def laboratory(page: Page) -> Laboratory:
    """Return the studio's laboratory."""
    return open_laboratory(page.session.studio)


def starting(page: Page, experiment: Experiment, label: Markdown, *, key: str) -> None:
    """Draw the start button with the estimate; where the app's engine is loaded, ask first."""
    running = laboratory(page).view().state is LaboratoryState.RUNNING
    st.html(f'<div class="glm-muted">{html(_estimate(page, experiment))}</div>')
    if st.session_state.get(_ASKED) == key and not running:
        _ask(page, experiment)
        return
    st.button(
        label,
        key=key,
        icon=":material/science:",
        on_click=_want,
        args=(page, experiment, key),
        disabled=running,
    )
    error = st.session_state.get(_ERROR)
    if isinstance(error, GLMTTSError):
        st.error(page.message(error))


def progress(page: Page, *, key: str) -> None:
    """Draw how far the running experiment is, and how the last one ended if that needs words."""
    view = laboratory(page).view()
    if view.state is LaboratoryState.RUNNING:
        st.fragment(_live, run_every=_POLL_S)(page, key)
    elif view.state is LaboratoryState.CANCELLED:
        done, count = view.progress.done, view.progress.trials
        st.info(page.markdown("diagnostics.cancelled", done=done, count=count))
    elif view.error is not None:
        st.error(page.message(view.error))


def _live(page: Page, key: str) -> None:
    view = laboratory(page).view()
    if view.state is not LaboratoryState.RUNNING:
        st.rerun(scope="app")
    with st.container(border=True):
        done, count = view.progress.done, view.progress.trials
        st.progress(done / max(1, count), _line(page, view))
        st.button(page.text("job.cancel"), key=key, on_click=laboratory(page).cancel)


def _line(page: Page, view: LaboratoryView) -> Markdown:
    progress = view.progress
    parts = [page.markdown("diagnostics.trial", number=progress.done + 1, count=progress.trials)]
    if progress.arm is not None:
        parts.append(plain(arm_name(progress.arm, page.language), limit=None))
        parts.append(page.markdown("diagnostics.spoken", count=progress.spoken))
    else:
        parts.append(page.markdown("diagnostics.preparing"))
    if view.remaining_s is not None:
        parts.append(page.markdown("diagnostics.remaining", time=seconds(view.remaining_s)))
    return Markdown(" · ".join(parts))


def _estimate(page: Page, experiment: Experiment) -> str:
    try:
        estimate_s, measured = laboratory(page).estimate_s(experiment)
    except GLMTTSError as error:
        return error.text(page.language)
    basis = "diagnostics.estimate_measured" if measured else "diagnostics.estimate_guessed"
    return page.text(
        "diagnostics.estimate",
        trials=len(experiment.arms) * experiment.repetitions,
        time=seconds(estimate_s),
        basis=page.text(basis),
    )


def _ask(page: Page, experiment: Experiment) -> None:
    with st.container(border=True):
        st.markdown(page.text("diagnostics.ask_unload"))
        with st.container(horizontal=True):
            st.button(
                page.text("diagnostics.unload_and_start"),
                key="diagnostics_confirm",
                type="primary",
                on_click=_start,
                args=(page, experiment),
            )
            st.button(page.text("diagnostics.back"), key="diagnostics_back", on_click=_forget)


def _want(page: Page, experiment: Experiment, key: str) -> None:
    if page.session.studio.engines.any_loaded:
        st.session_state[_ASKED] = key
    else:
        _start(page, experiment)


def _start(page: Page, experiment: Experiment) -> None:
    _forget()
    try:
        machine = machine_facts(page.session.studio)
        laboratory(page).start(experiment, page.session.id, machine)
        st.session_state[CHOSEN] = ""
    except GLMTTSError as error:
        st.session_state[_ERROR] = error


def _forget() -> None:
    st.session_state[_ASKED] = st.session_state[_ERROR] = None
