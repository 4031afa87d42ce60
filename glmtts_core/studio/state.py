"""What the engines are doing, as pages and routes show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
