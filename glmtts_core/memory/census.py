"""Counts what exists in this process: tensors, arrays and objects, by what they are."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np


class Holder(StrEnum):
    """Where something is found."""

    LEDGER = "ledger"
    TENSOR = "tensor"
    ARRAY = "array"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Counted:
    """All things of one kind.

    Attributes:
        holder: where they are found.
        name: a tensor's or array's type, shape and device, or an object's type.
        count: how many there are.
        size_bytes: how many bytes they hold; 0 for objects, whose size is unknown.
    """

    holder: Holder
    name: str
    count: int
    size_bytes: int


def census() -> tuple[Counted, ...]:
    """Collect garbage, and count what is left in this process.

    What is exempted from collection (`settle_garbage`) is not counted: it cannot grow.
    """
    gc.collect()
    counts, sizes = Counter[tuple[Holder, str]](), Counter[tuple[Holder, str]]()

    def count(holder: Holder, name: str, size_bytes: int) -> None:
        counts[holder, name] += 1
        sizes[holder, name] += size_bytes

    objects = gc.get_objects()
    for each in objects:
        count(*_described(each))
    for array in _arrays(objects):
        count(Holder.ARRAY, f"{array.dtype} {tuple(array.shape)}", array.nbytes)
    return tuple(Counted(*key, number, sizes[key]) for key, number in counts.items())


def _described(thing: object) -> tuple[Holder, str, int]:
    kind = type(thing)
    torch: Any = sys.modules.get("torch")
    # the type itself is asked: isinstance() would wake up modules that import themselves lazily
    if torch is not None and hasattr(torch, "Tensor") and issubclass(kind, torch.Tensor):
        tensor: Any = thing
        dtype = str(tensor.dtype).removeprefix("torch.")
        name = f"{dtype} {tuple(tensor.shape)} {tensor.device}"
        return Holder.TENSOR, name, int(tensor.numel()) * int(tensor.element_size())
    return Holder.OBJECT, f"{kind.__module__}.{kind.__qualname__}", 0


def _arrays(objects: Iterable[object]) -> Iterable[np.ndarray[Any, Any]]:
    """Yield the arrays that own their memory: the collector lists only what refers to them."""
    seen: set[int] = set()
    for each in objects:
        for referent in gc.get_referents(each):
            if type(referent) is np.ndarray and referent.base is None and id(referent) not in seen:
                seen.add(id(referent))
                yield referent
