"""What happens beside the results: cleanups, loads, evictions, failures, losses, experiments.

Values only; `event_log` keeps them. The names of the fields are those of the columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import Json

from glmtts_core.memory.cost import MemoryCost
from glmtts_core.memory.points import Line
from glmtts_core.memory.promises import CleanupLevel
from glmtts_core.stored import StoredMessage
from glmtts_core.studio.jobs import Priority


class AskedBy(StrEnum):
    """Who wanted something to be done."""

    PAGE = "page"
    BATCH = "batch"
    API = "api"
    EXPERIMENT = "experiment"
    SELF_CHECK = "self_check"
    PROGRAM = "program"


class EvictionReason(StrEnum):
    """Why something was unloaded that nobody had asked to unload.

    WITHDRAWN: the engine is no longer offered.
    """

    ROOM_FOR_ENGINE = "room_for_engine"
    OUT_OF_MEMORY = "out_of_memory"
    WITHDRAWN = "withdrawn"


class ExperimentKind(StrEnum):
    """What was tried."""

    LABORATORY = "laboratory"
    LEAK_HUNT = "leak_hunt"
    SELF_CHECK = "self_check"


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Cleanup:
    """A cleanup, and once something was spoken after it, what that paid.

    Attributes:
        at_s: its end (Unix time), as in all events.
        session: whose caches it dropped; None for those of all idle sessions.
        asked_by: who wanted it.
        level: how deep it went.
        seconds: duration.
        line: the figure that the bytes before, after and regained are of.
        before_bytes: that figure before.
        after_bytes: that figure after.
        promised_bytes: what it was to give back.
        promise_exact: whether that was more than an estimate.
        regained_bytes: what it gave back; 0 where the figure rose meanwhile.
        by_layer: decrease of each figure; negative where it rose.
        next_cost: message key of what the next synthesis was expected to pay.
        next_load_s: seconds of loading before the next synthesis; None until something was spoken.
        next_seconds: what the next synthesis took.
        next_growth_bytes: how much memory it took and kept.
    """

    at_s: float
    session: str | None
    asked_by: AskedBy
    level: CleanupLevel
    seconds: float
    line: Line
    before_bytes: int
    after_bytes: int
    promised_bytes: int
    promise_exact: bool
    regained_bytes: int
    by_layer: Json[Mapping[str, int]]
    next_cost: str
    next_load_s: float | None = None
    next_seconds: float | None = None
    next_growth_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """An engine was loaded: for whom, how long it took, and memory before, at the peak, after."""

    at_s: float
    session: str
    engine: str
    seconds: float
    memory: Json[MemoryCost]


@dataclass(frozen=True, slots=True)
class Eviction:
    """Engines or caches made room without anybody's wish.

    Attributes:
        at_s: its end.
        reason: why.
        needed_by: the engine that needed the room; the evicted one where none did.
        session: whose job needed it; None where none did.
        engines: names of the unloaded engines.
        caches_of: the sessions whose caches were dropped.
        seconds: duration.
        line: the figure that the bytes are of.
        before_bytes: that figure before.
        after_bytes: that figure after.
        regained_bytes: what came back; 0 where the figure rose meanwhile.
        by_layer: decrease of each figure; negative where it rose.
    """

    at_s: float
    reason: EvictionReason
    needed_by: str
    session: str | None
    engines: Json[tuple[str, ...]]
    caches_of: Json[tuple[str, ...]]
    seconds: float
    line: Line
    before_bytes: int
    after_bytes: int
    regained_bytes: int
    by_layer: Json[Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Failure:
    """A job failed: whose, on which engine, after how long, why, and its cost where measured.

    Its priority tells a batch's line from what a session asked for.
    """

    at_s: float
    session: str
    priority: Priority
    engine: str | None
    seconds: float
    message: Json[StoredMessage]
    memory: Json[MemoryCost] | None = None


@dataclass(frozen=True, slots=True)
class EngineLoss:
    """An engine's own process has ended unasked: whose, and how."""

    at_s: float
    engine: str
    message: Json[StoredMessage]


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment has ended.

    Attributes:
        at_s: its end.
        kind: what was tried.
        name: of the engine that it was about.
        started_s: its start (Unix time).
        seconds: duration.
        outcome: how it ended.
        message: why it failed; None where it did not.
        folder: where its findings lie; None where none are kept.
    """

    at_s: float
    kind: ExperimentKind
    name: str
    started_s: float
    seconds: float
    outcome: Outcome
    message: Json[StoredMessage] | None = None
    folder: Path | None = None
