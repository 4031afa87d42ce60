"""Puts together what is shown of a run: its line in the list of runs, and its full view."""

from __future__ import annotations

from dataclasses import replace

from glmtts_core.batch.active_run import ActiveRun
from glmtts_core.batch.loaded import LoadedRun
from glmtts_core.batch.pace import PaceReading
from glmtts_core.batch.states import LineState, RunState, RunSummary, RunView
from glmtts_core.batch.store import RunStore


def summary_of(store: RunStore, loaded: LoadedRun, *, active: bool) -> RunSummary:
    """Return a run's line in the list of runs; ``active``: whether this process runs it."""
    elsewhere = not active and store.locked
    state = loaded.replayed.state
    if active or elsewhere:
        state = RunState.RUNNING
    elif state is RunState.RUNNING:
        state = RunState.INTERRUPTED
    header, counts = store.header, loaded.table.counts()
    return RunSummary(store.id, header.name, header.created_at, state, counts, elsewhere)


def view_of(
    store: RunStore, loaded: LoadedRun, active: ActiveRun | None, last_pace: PaceReading
) -> RunView:
    """Return a run's view.

    Args:
        store: the run's folder.
        loaded: what was read from it.
        active: the run in this process; None where it does not run here.
        last_pace: its pace when it last ran here.
    """
    summary = summary_of(store, loaded, active=active is not None)
    replayed = loaded.replayed
    audio_s, retries = loaded.table.totals()
    pace = last_pace if active is None else active.coordinator.pace.read()
    view = RunView(
        id=summary.id,
        name=summary.name,
        created_at=summary.created_at,
        state=summary.state,
        counts=summary.counts,
        elsewhere=summary.elsewhere,
        reason=replayed.reason,
        current=loaded.table.running(),
        active_s=replayed.active_s,
        eta_s=pace.eta_s,
        lines_per_min=pace.lines_per_min,
        audio_per_s=pace.audio_per_s,
        audio_s=audio_s,
        retries=retries,
        cleanups=replayed.cleanups,
        regained_bytes=replayed.regained_bytes,
        lost=_lost_lines(loaded),
    )
    return view if active is None else _with_activity(view, active, pace)


def _with_activity(view: RunView, active: ActiveRun, pace: PaceReading) -> RunView:
    """Add what only the process that runs it knows."""
    coordinator = active.coordinator
    return replace(
        view,
        stopping=coordinator.stopping,
        reason=None,
        progress=coordinator.progress(),
        active_s=view.active_s + pace.active_s,
        cleanups=view.cleanups + coordinator.cleanups,
        regained_bytes=view.regained_bytes + coordinator.regained_bytes,
        cleanup_reason=coordinator.cleanup_reason,
    )


def _lost_lines(loaded: LoadedRun) -> int:
    """Return how many lines whose sounds are gone have not been spoken again."""
    table = loaded.table
    return sum(table.status(n).state is not LineState.DONE for n in loaded.lost)
