"""One run: how it goes, its controls, its lines; live while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from glmtts_core.api.downloads import RESULTS, address
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import RunState, RunView
from glmtts_core.engines.labels import progress_line
from glmtts_core.errors import GLMTTSError
from glmtts_core.escaping import html
from glmtts_core.ui.batch import lines
from glmtts_core.ui.batch.draft import steer
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared import memory_view
from glmtts_core.ui.shared.markdown import plain
from glmtts_core.ui.shared.quantities import seconds, size

#: Seconds between two looks at a run that goes on.
TICK_S: Final = 1.0
#: Seconds over which the memory figures take their peak.
_SPAN_S: Final = 120.0
_DRAWN_STATE: Final = "batch_drawn_state"


def show(page: Page, run: BatchRun) -> None:
    """Draw the run."""
    view = run.view()
    goes_on = view.state is RunState.RUNNING
    st.session_state[_DRAWN_STATE] = _drawn(view)
    st.fragment(_draw, run_every=TICK_S if goes_on else None)(page, run)
    lines.player(page, run)


def _draw(page: Page, run: BatchRun) -> None:
    try:
        view = run.view()
        if _drawn(view) != st.session_state.get(_DRAWN_STATE) or lines.choice_changed():
            # begun, paused or ended meanwhile: buttons, downloads and the ticking itself change; or
            # another line was clicked, whose player stands outside of what ticks
            st.rerun(scope="app")
        _progress(page, view)
        _controls(page, run, view)
        _figures(page, view)
        lines.table(page, run, view)
    except GLMTTSError as error:
        st.error(page.message(error))


def _drawn(view: RunView) -> tuple[RunState, bool]:
    return view.state, view.stopping


# -- how it goes -------------------------------------------------------------------------------


def _progress(page: Page, view: RunView) -> None:
    counts = view.counts
    lines = counts.total - counts.set_aside
    state = "stopping" if view.stopping else view.state.value
    parts = [page.text(f"batch.run_state.{state}")]
    parts.append(page.markdown("batch.spoken_of", spoken=f"{counts.done:,}", lines=f"{lines:,}"))
    if view.eta_s is not None and view.state is RunState.RUNNING:
        parts.append(page.markdown("batch.eta", left=seconds(view.eta_s)))
    st.progress(counts.tried / lines if lines else 1.0, " · ".join(parts))
    if view.reason is not None:
        st.warning(page.message(view.reason))
    if view.standing.lost:
        st.warning(page.markdown("batch.run.lost", count=f"{view.standing.lost:,}"))
    if view.elsewhere:
        st.info(page.text("batch.elsewhere"))
    if view.cleanup_reason is not None:
        st.warning(page.message(view.cleanup_reason))
    if view.current:
        row = view.current[0]
        stage = ""
        if view.progress is not None:
            stage = f" · {progress_line(view.progress, page.language)}"
        words = html(f"▸ {row.line.uttid}{stage} · {row.line.text[:80]}")
        st.html(f'<div class="glm-muted glm-one-line">{words}</div>')


def _figures(page: Page, view: RunView) -> None:
    counts = view.counts
    rate = counts.success_rate
    pace = view.lines_per_min
    cards = [
        ("batch.card_done", f"{counts.done:,}"),
        ("batch.card_failed", f"{counts.failed:,}"),
        ("batch.card_waiting", f"{counts.queued + counts.running + counts.skipped:,}"),
        ("batch.card_set_aside", f"{counts.set_aside:,}"),
        ("batch.card_rate", "–" if rate is None else f"{rate:.1%}"),
        ("batch.card_audio", seconds(view.standing.audio_s)),
        (
            "batch.card_pace",
            "–" if pace is None else page.text("batch.per_min", pace=f"{pace:.1f}"),
        ),
        ("batch.card_cleanups", f"{view.standing.cleanups} · {size(view.standing.regained_bytes)}"),
    ]
    cells = [f"<div>{html(page.text(key))}<b>{html(value)}</b></div>" for key, value in cards]
    memory = memory_view.views(page.session.studio.monitor.latest())[0]
    readings = memory_view.recent(page.session, memory, _SPAN_S)
    figures = memory_view.figures_html(page.session, memory, readings, page.language)
    # on a phone the sidebar with its chart is folded away
    st.html(
        f'<div class="glm-cards glm-small-cards">{"".join(cells)}</div>'
        f'<div class="glm-phone-only">{figures}</div>'
    )


# -- steering ----------------------------------------------------------------------------------


def _controls(page: Page, run: BatchRun, view: RunView) -> None:
    goes_on = view.state is RunState.RUNNING and not view.elsewhere
    waiting = view.counts.queued + view.counts.skipped
    with st.container(horizontal=True):
        if goes_on and not view.stopping:
            _control(page, "batch.pause", "pause", run.pause)
        if goes_on or view.state in (RunState.PAUSED, RunState.INTERRUPTED):
            _control(page, "batch.cancel", "close", run.cancel, disabled=view.stopping)
        if not goes_on and waiting and not view.elsewhere:
            first = view.state is RunState.READY
            key = "batch.start_run" if first else "batch.resume"
            _control(page, key, "play_arrow", run.start, primary=True, count=f"{waiting:,}")
        if view.counts.failed and not view.elsewhere and not view.stopping:
            count = f"{view.counts.failed:,}"
            _control(page, "batch.retry", "replay", run.retry_failed, count=count)


def _control(
    page: Page,
    key: str,
    icon: str,
    act: Callable[[], None],
    *,
    primary: bool = False,
    disabled: bool = False,
    **details: object,
) -> None:
    st.button(
        page.markdown(key, **details),
        key=key.replace(".", "_"),
        icon=f":material/{icon}:",
        type="primary" if primary else "secondary",
        on_click=steer,
        args=(act,),
        disabled=disabled,
    )


def heading(run: BatchRun) -> None:
    """Draw what the run is."""
    header = run.header
    facts = [f"**{plain(header.name)}**", f"{header.created_at:%Y-%m-%d %H:%M}", plain(run.id)]
    st.markdown(" · ".join(facts), width="stretch")


def downloads(page: Page, run: BatchRun) -> None:
    """Draw the links to the results; they are made as they are sent, not while this is drawn."""
    for result in RESULTS:
        st.link_button(
            page.text(f"batch.download.{result.partition('.')[2]}"),
            address(page.session.studio, run.id, result, page.language),
            icon=":material/download:",
        )
