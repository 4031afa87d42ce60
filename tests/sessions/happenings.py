"""Events as the studio writes them, for tests of what keeps them."""

from __future__ import annotations

import time
from pathlib import Path

from glmtts_core.memory.points import Line
from glmtts_core.memory.promises import CleanupLevel
from glmtts_core.message import Message
from glmtts_core.sessions.events import (
    AskedBy,
    Cleanup,
    EngineLoss,
    Eviction,
    EvictionReason,
    Experiment,
    ExperimentKind,
    Failure,
    Load,
    Outcome,
)
from glmtts_core.studio.jobs import Priority
from tests.speaking import ANNA, BERT, result

MIB = 2**20
COST = result().memory
BY_LAYER = {"resident_set": 30 * MIB, "caches": -MIB}
NO_MEMORY = Message("engine.out_of_memory")


def cleanup(at_s: float | None = None, session: str | None = ANNA) -> Cleanup:
    """Return a trim after which nothing was spoken yet."""
    return Cleanup(
        at_s=time.time() if at_s is None else at_s,
        session=session,
        asked_by=AskedBy.PAGE,
        level=CleanupLevel.TRIM,
        seconds=0.125,
        line=Line.RESIDENT_SET,
        before_bytes=400 * MIB,
        after_bytes=370 * MIB,
        promised_bytes=28 * MIB,
        promise_exact=False,
        regained_bytes=30 * MIB,
        by_layer=BY_LAYER,
        next_cost="memory.next_cost.caches",
    )


def load(at_s: float | None = None, engine: str = "Scripted") -> Load:
    """Return the loading of an engine."""
    return Load(time.time() if at_s is None else at_s, ANNA, engine, 2.5, COST)


def eviction(at_s: float | None = None) -> Eviction:
    """Return an eviction of an engine and a session's caches."""
    return Eviction(
        at_s=time.time() if at_s is None else at_s,
        reason=EvictionReason.ROOM_FOR_ENGINE,
        needed_by="Cloning",
        session=ANNA,
        engines=("Scripted", "声音"),
        caches_of=(BERT,),
        seconds=0.25,
        line=Line.RESIDENT_SET,
        before_bytes=400 * MIB,
        after_bytes=420 * MIB,
        regained_bytes=0,
        by_layer=BY_LAYER,
    )


def failure(at_s: float | None = None) -> Failure:
    """Return a batch line that failed for lack of memory."""
    moment_s = time.time() if at_s is None else at_s
    return Failure(moment_s, ANNA, Priority.BATCH, "Scripted", 1.5, NO_MEMORY, COST)


def engine_loss(at_s: float | None = None) -> EngineLoss:
    """Return the unexpected end of an engine's process."""
    how = Message("engine.process_hung", {"engine": "Scripted"})
    return EngineLoss(time.time() if at_s is None else at_s, "Scripted", how)


def experiment(at_s: float | None = None) -> Experiment:
    """Return an experiment that failed."""
    moment_s = time.time() if at_s is None else at_s
    return Experiment(
        moment_s,
        ExperimentKind.LABORATORY,
        "Scripted",
        moment_s - 60.0,
        59.5,
        Outcome.FAILED,
        NO_MEMORY,
        Path("outputs/laboratory/2026"),
    )
