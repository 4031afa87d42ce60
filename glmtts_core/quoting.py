"""How values from outside are quoted in messages."""

from __future__ import annotations

from typing import Final

#: Longest value that is quoted, in characters.
_QUOTED_CHARS: Final = 60


def quoted(value: object) -> str:
    """Return a value as it is quoted in a message: short, on one line, always valid text."""
    shown = value if isinstance(value, str) else repr(value)
    shown = shown.encode("utf-8", "backslashreplace").decode()
    short = shown[:_QUOTED_CHARS] + ("…" if len(shown) > _QUOTED_CHARS else "")
    return "".join(char if char.isprintable() else " " for char in short)
