"""Memory figures of one moment, for comparisons between before, peak and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Final

from glmtts_core.memory.probe import MemoryReading

_ALWAYS_KNOWN: Final = ("resident_set_bytes", "weights_bytes", "caches_bytes")
#: More than any machine has; larger figures are not believed.
_MOST_BYTES: Final = 2**62


class Line(StrEnum):
    """Figures that can be the main line; the values are the names of a point's attributes."""

    RESIDENT_SET = "resident_set_bytes"
    PROCESS_USED = "process_used_bytes"
    RESERVED = "reserved_bytes"
    DEVICE_USED = "device_used_bytes"


@dataclass(frozen=True, slots=True)
class MemoryPoint:
    """Bytes by layer at one moment; the device is the GPU that the engine uses."""

    resident_set_bytes: int
    device_used_bytes: int | None
    process_used_bytes: int | None
    reserved_bytes: int | None
    allocated_bytes: int | None
    weights_bytes: int
    caches_bytes: int

    @classmethod
    def of(cls, reading: MemoryReading) -> MemoryPoint:
        """Return the figures of a reading."""
        device = reading.main
        return cls(
            resident_set_bytes=reading.resident_set_bytes,
            device_used_bytes=None if device is None else device.used_bytes,
            process_used_bytes=None if device is None else device.process_used_bytes,
            reserved_bytes=reading.reserved_bytes,
            allocated_bytes=reading.allocated_bytes,
            weights_bytes=reading.weights_bytes,
            caches_bytes=reading.caches_bytes,
        )

    @classmethod
    def from_dict(cls, stored: Mapping[str, int | None]) -> MemoryPoint:
        """Read back what `to_dict` wrote.

        Raises:
            KeyError, TypeError: something else was stored.
        """
        for each in fields(cls):
            figure = stored[each.name]
            unknown = figure is None and each.name not in _ALWAYS_KNOWN
            if not unknown and (type(figure) is not int or abs(figure) > _MOST_BYTES):
                raise TypeError(f"{each.name} is {figure!r}")
        return cls(**{field.name: stored[field.name] for field in fields(cls)})  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, int | None]:
        """Return plain values for JSON."""
        return asdict(self)

    def value(self, line: Line) -> int | None:
        """Return the figure of ``line``."""
        figure: int | None = getattr(self, line.value)
        return figure


def main_line(device: str, points: Iterable[MemoryPoint]) -> Line:
    """Choose the figure by which ``points`` are compared; it is known in all of them.

    On CUDA that is our processes if possible, else what torch reserves (also only ours, but without
    the CUDA context), else the whole card with the memory of other processes.
    """
    if not device.startswith("cuda"):
        return Line.RESIDENT_SET
    known = list(points)
    for line in (Line.PROCESS_USED, Line.RESERVED, Line.DEVICE_USED):
        if all(point.value(line) is not None for point in known):
            return line
    return Line.RESIDENT_SET


def highest(points: Iterable[MemoryPoint]) -> MemoryPoint:
    """Return each figure's own maximum.

    Raises:
        ValueError: no points.
    """
    rows = [asdict(point) for point in points]
    if not rows:
        raise ValueError("there is no maximum of no points")
    found: dict[str, int | None] = {}
    for name in rows[0]:
        known = [row[name] for row in rows if row[name] is not None]
        found[name] = max(known) if known else None
    return MemoryPoint.from_dict(found)
