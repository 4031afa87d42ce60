"""What the engines are doing, as pages and routes show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from glmtts_core.engines.host.base import EngineHost
from glmtts_core.studio.worker import Worker


class EngineState(StrEnum):
    """What the engine is doing."""

    NOT_LOADED = "not_loaded"
    LOADING = "loading"
    IDLE = "idle"
    SPEAKING = "speaking"


@dataclass(frozen=True, slots=True)
class StudioState:
    """The engine's state, how far its loading is (0 to 1, or None), and how many jobs wait."""

    engine: EngineState
    loading: float | None
    queued: int


def studio_state(
    worker: Worker, being_loaded: str | None, engines: EngineHost, engine: str | None
) -> StudioState:
    """Return what the engine called ``engine`` is doing; with None, what any of them is.

    Args:
        worker: runs the jobs.
        being_loaded: name of the engine that is being loaded now, if any.
        engines: all of them.
        engine: the one that is asked about.
    """
    running, loading = worker.running, None
    if being_loaded is not None and engine in (None, being_loaded):
        state = EngineState.LOADING
        loading = None if running is None else running.view().progress.fraction
    elif running is not None and engine in (None, running.engine):
        state = EngineState.SPEAKING
    else:
        loaded = engines.any_loaded if engine is None else engines.find(engine).loaded
        state = EngineState.IDLE if loaded else EngineState.NOT_LOADED
    return StudioState(state, loading, len(worker.waiting()))
