"""Names what grows from synthesis to synthesis: ledger entries, tensors, arrays and objects.

The same request is spoken again and again; what exists afterwards in the engine's process is
compared with what existed before. Growth that no Python object explains (a runtime's arena, the
heap) is unnamed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from glmtts_core.diagnostics.growth import Growth, growth
from glmtts_core.diagnostics.noted import noted
from glmtts_core.engines.base import CancelToken, SynthesisResult
from glmtts_core.errors import DiagnosticsError
from glmtts_core.memory.census import Holder
from glmtts_core.sessions.events import ExperimentKind
from glmtts_core.sessions.session import Session
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.jobs import Job

#: Syntheses before the first census: what is created only once is no leak.
WARM_UP: Final = 2
#: Seconds between two checks whether the hunt was cancelled.
_POLL_S: Final = 0.2
#: What exists, by where it is found and by name: how many, and their bytes.
_Census = Mapping[tuple[Holder, str], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Grown:
    """One kind of thing that has become more.

    Attributes:
        holder: where it was found.
        name: the ledger's kind, a tensor's or array's type, shape and device, or an object's type.
        count: how many more.
        size_bytes: how many bytes more; None if unknown.
    """

    holder: Holder
    name: str
    count: int
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class LeakHunt:
    """What a hunt has found.

    Attributes:
        syntheses: how many were spoken after the warm-up.
        after_bytes: the main line after each of them.
        growth: the verdict over them.
        grown: what grew with every synthesis, the largest first.
        unnamed_bytes: growth that nothing named explains; 0 if more was named than grew.
    """

    syntheses: int
    after_bytes: tuple[int, ...]
    growth: Growth
    grown: tuple[Grown, ...]
    unnamed_bytes: int


def hunt(
    session: Session,
    request: SynthesisRequest,
    syntheses: int = 10,
    *,
    on_spoken: Callable[[int], None] = lambda _: None,
    cancel: CancelToken | None = None,
) -> LeakHunt:
    """Speak ``request`` again and again and name what grew; blocks until it is done.

    Args:
        session: whose caches are used (leased, or they go with each job); keeps its history.
        request: what to speak.
        syntheses: how many after the warm-up.
        on_spoken: receives how many were spoken so far, the warm-up included.
        cancel: stops the hunt.

    Raises:
        GLMTTSError: a synthesis failed, the engine's process does not answer, or the hunt was
            cancelled.
    """
    stop = cancel or CancelToken()
    engine = session.studio.engines.find(request.engine).capabilities.engine
    with noted(session.studio, ExperimentKind.LEAK_HUNT, engine):
        return _hunt(session, request, engine, syntheses, on_spoken, stop)


def _hunt(
    session: Session,
    request: SynthesisRequest,
    engine: str,
    syntheses: int,
    on_spoken: Callable[[int], None],
    stop: CancelToken,
) -> LeakHunt:
    for number in range(WARM_UP):
        _speak(session, request, stop)
        on_spoken(number + 1)
    before = _census(session, engine)
    after_bytes = []
    for number in range(syntheses):
        after_bytes.append(_speak(session, request, stop))
        on_spoken(WARM_UP + number + 1)
    grown = _grown(before, _census(session, engine), syntheses)
    verdict = growth(after_bytes)
    named = sum(each.size_bytes or 0 for each in grown if each.holder is not Holder.LEDGER)
    # tensors and arrays that are in the ledger too must not count twice
    named = max(named, sum(each.size_bytes or 0 for each in grown if each.holder is Holder.LEDGER))
    return LeakHunt(
        syntheses, tuple(after_bytes), verdict, grown, max(0, verdict.grown_bytes - named)
    )


def _speak(session: Session, request: SynthesisRequest, cancel: CancelToken) -> int:
    """Speak once, keep nothing, and return the main line afterwards."""
    cancel.raise_if_cancelled()
    job = session.studio.submit(session.id, request, keep=_drop)
    _wait(job, cancel)
    view = job.view()
    if view.error is not None:
        raise view.error
    if view.memory is None:
        raise AssertionError("a finished synthesis has a cost")
    return view.memory.after_bytes


def _drop(result: SynthesisResult) -> None:
    """Discard the result, so that it is not counted as growth."""


def _wait(job: Job, cancel: CancelToken) -> None:
    while not job.wait(_POLL_S):
        if cancel.cancelled:
            job.cancel()


def _census(session: Session, engine: str) -> _Census:
    """Count what exists in the engine's process, and what the ledger records: number and bytes.

    Raises:
        DiagnosticsError: the process does not answer.
    """
    inspectors = session.studio.engines.inspectors()
    inspector = next((each for each in inspectors if each.engine in (None, engine)), None)
    counted = None if inspector is None else inspector.census()
    if counted is None:
        raise DiagnosticsError("diagnostics.hunt_no_answer", engine=engine)
    found = {(each.holder, each.name): (each.count, each.size_bytes) for each in counted}
    for entry in session.studio.ledger.snapshot().entries:
        key = (Holder.LEDGER, entry.kind.value)
        count, size = found.get(key, (0, 0))
        found[key] = (count + 1, size + entry.size_bytes)
    return found


def _grown(before: _Census, after: _Census, syntheses: int) -> tuple[Grown, ...]:
    grown = []
    for (holder, name), (count, size_bytes) in after.items():
        count_before, bytes_before = before.get((holder, name), (0, 0))
        more, size = count - count_before, size_bytes - bytes_before
        if (size > 0) if holder is Holder.LEDGER else (more >= syntheses):
            grown.append(Grown(holder, name, more, None if holder is Holder.OBJECT else size))
    return tuple(sorted(grown, key=lambda each: (each.size_bytes or 0, each.count), reverse=True))
