"""What grows from synthesis to synthesis, by name: ledger entries, tensors, arrays and objects.

The same request is spoken over and over, and what there is afterwards is compared with what there
was before. Memory that no Python object holds (a runtime's arena, the heap) is told as unnamed.
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
from glmtts_core.engines.base import CancelToken, SynthesisResult
from glmtts_core.memory.ledger import LedgerKind, LedgerSnapshot
from glmtts_core.sessions.session import Session
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.jobs import Job

#: Syntheses before the first look: what is made once is no leak.
WARM_UP: Final = 2
#: Seconds between two looks at the wish to stop.
_POLL_S: Final = 0.2


class Holder(StrEnum):
    """Where something that grew was found."""

    LEDGER = "ledger"
    TENSOR = "tensor"
    ARRAY = "array"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Grown:
    """Something of which there is more than before.

    Attributes:
        holder: where it was found.
        name: the ledger's kind, a tensor's or array's type, shape and device, or an object's type.
        count: how many more.
        size_bytes: how much more; None where nobody tells.
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
        unnamed_bytes: growth that nothing named explains; 0 where more was named than grew.
    """

    syntheses: int
    after_bytes: tuple[int, ...]
    growth: Growth
    grown: tuple[Grown, ...]
    unnamed_bytes: int


@dataclass(frozen=True, slots=True)
class _Census:
    ledger: Counter[str]
    ledger_bytes: Counter[str]
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
    """Speak ``request`` again and again and name what grew. Blocks; not for a page's own thread.

    Args:
        session: whose caches are used (leased, or they go with each job); keeps its history.
        request: what to speak.
        syntheses: how many after the warm-up.
        on_spoken: told how many were spoken so far, the warm-up included.
        cancel: the wish to stop.

    Raises:
        GLMTTSError: a synthesis failed, or the hunt was cancelled.
    """
    stop = cancel or CancelToken()
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
    # tensors and arrays that are written down in the ledger too must not count twice
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
    """Let the result go: it would be in the way of what the engine keeps."""


def _wait(job: Job, cancel: CancelToken) -> None:
    while not job.wait(_POLL_S):
        if cancel.cancelled:
            job.cancel()


def _census(session: Session) -> _Census:
    gc.collect()
    ledger, ledger_bytes = _ledger_counts(session.studio.ledger.snapshot())
    counts: Counter[tuple[Holder, str]] = Counter()
    sizes: Counter[tuple[Holder, str]] = Counter()
    # what is exempted from collection (`settle_garbage`) is not listed: it cannot grow
    objects = gc.get_objects()
    for each in objects:
        key, size = _described(each)
        counts[key] += 1
        sizes[key] += size
    for array in _arrays(objects):
        key = Holder.ARRAY, f"{array.dtype} {tuple(array.shape)}"
        counts[key] += 1
        sizes[key] += array.nbytes
    return _Census(ledger, ledger_bytes, counts, sizes)


def _ledger_counts(kept: LedgerSnapshot) -> tuple[Counter[str], Counter[str]]:
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for entry in kept.entries:
        counts[entry.kind.value] += 1
        sizes[entry.kind.value] += entry.size_bytes
    return counts, sizes


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
    found = [
        Grown(Holder.LEDGER, kind.value, after.ledger[kind] - before.ledger[kind], size)
        for kind in LedgerKind
        if (size := after.ledger_bytes[kind] - before.ledger_bytes[kind]) > 0
    ]
    for key, count in after.counts.items():
        more = count - before.counts[key]
        if more >= syntheses:
            size = after.sizes[key] - before.sizes[key]
            found.append(Grown(*key, more, None if key[0] is Holder.OBJECT else size))
    return tuple(sorted(found, key=lambda each: (each.size_bytes or 0, each.count), reverse=True))
