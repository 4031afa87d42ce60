"""Bytes, seconds and moments as people read them."""

from __future__ import annotations

from datetime import datetime

from glmtts_core.byte_units import GIB, MIB


def size(size_bytes: float) -> str:
    """Return "1.24 GiB" or "312 MiB"; below 10 MiB with one decimal."""
    magnitude = abs(size_bytes)
    if round(magnitude / MIB) >= GIB // MIB:
        return f"{size_bytes / GIB:.2f} GiB"
    digits = 0 if magnitude >= 10 * MIB or magnitude < 0.05 * MIB else 1
    return f"{size_bytes / MIB:.{digits}f} MiB"


def change(size_bytes: float) -> str:
    """Return a size with its sign, with a true minus; a change too small to show has a plus."""
    shown = size(abs(size_bytes))
    sign = "−" if size_bytes < 0 and shown != size(0) else "+"
    return f"{sign}{shown}"


def seconds(value_s: float) -> str:
    """Return "0.08 s", "4.2 s", "3 min 05 s" or "4 h 11 min"."""
    if value_s < 1:
        return f"{value_s:.2f} s"
    if value_s < 120:
        return f"{value_s:.1f} s"
    minutes, rest = divmod(round(value_s), 60)
    if minutes >= 120:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s"


def moment(when: datetime) -> str:
    """Return the time of day, with seconds; before today, the date and the minute."""
    today = when.astimezone().date() == datetime.now().astimezone().date()
    return f"{when:%H:%M:%S}" if today else f"{when:%Y-%m-%d %H:%M}"
