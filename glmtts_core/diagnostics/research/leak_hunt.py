"""Names what grows from synthesis to synthesis: ledger entries, tensors, arrays and objects.

The same request is spoken again and again; everything that exists afterwards is compared with what
existed before. Growth that no Python object explains (a runtime's arena, the heap) is unnamed.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np

from glmtts_core.diagnostics.growth import Growth, growth
from glmtts_core.diagnostics.noted import noted
from glmtts_core.engines.base import CancelToken, SynthesisResult
from glmtts_core.sessions.events import ExperimentKind
from glmtts_core.sessions.session import Session
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.jobs import Job

#: Syntheses before the first census: what is created only once is no leak.
WARM_UP: Final = 2
#: Seconds between two checks whether the hunt was cancelled.
_POLL_S: Final = 0.2


class Holder(StrEnum):
    """Where something that grew was found."""

    LEDGER = "ledger"
    TENSOR = "tensor"
    ARRAY = "array"
    OBJECT = "object"


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


@dataclass(frozen=True, slots=True)
class _Census:
    """How many there are and how many bytes they hold, by where they were found and by name."""

    counts: Counter[tuple[Holder, str]]
    sizes: Counter[tuple[Holder, str]]


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
        GLMTTSError: a synthesis failed, or the hunt was cancelled.
    """
    stop = cancel or CancelToken()
    engine = session.studio.engines.find(request.engine).capabilities.engine
    with noted(session.studio, ExperimentKind.LEAK_HUNT, engine):
        return _hunt(session, request, syntheses, on_spoken, stop)


def _hunt(
    session: Session,
    request: SynthesisRequest,
    syntheses: int,
    on_spoken: Callable[[int], None],
    stop: CancelToken,
) -> LeakHunt:
    for number in range(WARM_UP):
        _speak(session, request, stop)
        on_spoken(number + 1)
    before = _census(session)
    after_bytes = []
    for number in range(syntheses):
        after_bytes.append(_speak(session, request, stop))
        on_spoken(WARM_UP + number + 1)
    grown = _grown(before, _census(session), syntheses)
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


def _census(session: Session) -> _Census:
    gc.collect()
    census = _Census(Counter(), Counter())
    for entry in session.studio.ledger.snapshot().entries:
        _count(census, (Holder.LEDGER, entry.kind.value), entry.size_bytes)
    # what is exempted from collection (`settle_garbage`) is not listed: it cannot grow
    objects = gc.get_objects()
    for each in objects:
        _count(census, *_described(each))
    for array in _arrays(objects):
        _count(census, (Holder.ARRAY, f"{array.dtype} {tuple(array.shape)}"), array.nbytes)
    return census


def _count(census: _Census, key: tuple[Holder, str], size_bytes: int) -> None:
    census.counts[key] += 1
    census.sizes[key] += size_bytes


def _described(thing: object) -> tuple[tuple[Holder, str], int]:
    kind = type(thing)
    torch: Any = sys.modules.get("torch")
    # the type itself is asked: isinstance() would wake up modules that import themselves lazily
    if torch is not None and hasattr(torch, "Tensor") and issubclass(kind, torch.Tensor):
        tensor: Any = thing
        dtype = str(tensor.dtype).removeprefix("torch.")
        name = f"{dtype} {tuple(tensor.shape)} {tensor.device}"
        return (Holder.TENSOR, name), int(tensor.numel()) * int(tensor.element_size())
    return (Holder.OBJECT, f"{kind.__module__}.{kind.__qualname__}"), 0


def _arrays(objects: Iterable[object]) -> Iterable[np.ndarray[Any, Any]]:
    """Yield the arrays that own their memory: the collector lists only what refers to them."""
    seen: set[int] = set()
    for each in objects:
        for referent in gc.get_referents(each):
            if type(referent) is np.ndarray and referent.base is None and id(referent) not in seen:
                seen.add(id(referent))
                yield referent


def _grown(before: _Census, after: _Census, syntheses: int) -> tuple[Grown, ...]:
    grown = []
    for key, count in after.counts.items():
        holder, name = key
        more, size = count - before.counts[key], after.sizes[key] - before.sizes[key]
        if (size > 0) if holder is Holder.LEDGER else (more >= syntheses):
            grown.append(Grown(holder, name, more, None if holder is Holder.OBJECT else size))
    return tuple(sorted(grown, key=lambda each: (each.size_bytes or 0, each.count), reverse=True))
