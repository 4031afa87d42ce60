"""Putting a user's words into Markdown without their signs taking effect."""

from __future__ import annotations

from typing import Final

_SIGNS: Final = frozenset(r"\`*_{}[]()#+-.!|<>:$~&")


def plain(words: str, limit: int = 80) -> str:
    """Return ``words`` in one line of at most ``limit`` characters, Markdown signs disarmed."""
    line = " ".join(words.split())
    line = line if len(line) <= limit else f"{line[: limit - 1]}…"
    return "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in line)
