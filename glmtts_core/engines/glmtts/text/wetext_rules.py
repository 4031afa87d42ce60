"""What wetext makes of a text, whatever is in it: a part of the reference's front end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: What the rules may not know: neither ASCII nor a common ideograph, mark or unit.
_UNKNOWN: Final = re.compile(r"([^\x00-\x7f\u4e00-\u9fff\u3000-\u303f\uff00-\uffef℃￥¥€£°]+)")


def apply_rules(rules: Callable[[str], str], text: str) -> str:
    """Return what the ``rules`` of a wetext normaliser make of ``text``, whatever is in it."""
    try:
        return str(rules(text))
    except AssertionError:
        # a number beside one character that its rules do not know ("À") makes wetext give up on
        # the whole text: leave such characters out of its sight
        parts = _UNKNOWN.split(text)
        return "".join(
            apply_rules(rules, part) if len(parts) > 1 and not _UNKNOWN.match(part) else part
            for part in parts
        )
