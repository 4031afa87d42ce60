"""How values from outside are quoted in messages: as the user wrote them, never as Python does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Final

#: Longest value that is quoted, in characters.
_QUOTED_CHARS: Final = 60
#: Brackets inside brackets that are written out.
_DEPTH: Final = 3


def quoted(value: object) -> str:
    """Return a value as it is quoted in a message: short, on one line, always valid text.

    Text stands as it is, anything else in the way of JSON.
    """
    shown = value if isinstance(value, str) else _json(value, _DEPTH)
    shown = shown[: _QUOTED_CHARS + 1].encode("utf-8", "backslashreplace").decode()
    short = shown[:_QUOTED_CHARS] + ("…" if len(shown) > _QUOTED_CHARS else "")
    return "".join(char if char.isprintable() else " " for char in short)


def _json(value: object, depth: int) -> str:
    """Return ``value`` as JSON writes it; what is deep or long is cut short."""
    if isinstance(value, Mapping):
        pairs = islice(value.items(), _QUOTED_CHARS)
        inside = (f"{_scalar(str(name))}: {_json(each, depth - 1)}" for name, each in pairs)
        return "{" + (", ".join(inside) if depth else "…") + "}"
    if isinstance(value, list | tuple):
        inside = (_json(each, depth - 1) for each in value[:_QUOTED_CHARS])
        return "[" + (", ".join(inside) if depth else "…") + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value[: _QUOTED_CHARS + 1], ensure_ascii=False)
    if value is None or isinstance(value, bool | float):
        return json.dumps(value)
    return str(value)
