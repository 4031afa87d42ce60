"""How 一 and 不 sound before other syllables: what is said, where the dictionary has one tone.

Knows nothing about words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

#: Beside these 一 is a figure in a row, a place in an order or the end of a number.
_COUNTED_BEFORE: Final = frozenset("第十零一二三四五六七八九点初幺期周")
_COUNTED_AFTER: Final = frozenset("零一二三四五六七八九十点月号日")


def with_sandhi(text: str, syllables: Sequence[str]) -> list[str]:
    """Return ``syllables`` with the tones that 一 and 不 take before their neighbours.

    Args:
        text: ideographs only.
        syllables: the dictionary's syllable of each, with its tone's number.
    """
    found = list(syllables)
    for place, char in enumerate(text[:-1]):
        falling = syllables[place + 1][-1] == "4" or text[place + 1] == "个"
        if char == "不" and syllables[place] == "bu4" and falling:
            found[place] = "bu2"
        if char == "一" and syllables[place] == "yi1" and not _is_counted(text, place):
            found[place] = "yi2" if falling else "yi4"
    return found


def _is_counted(text: str, place: int) -> bool:
    before = text[place - 1] if place else ""
    return before in _COUNTED_BEFORE or text[place + 1] in _COUNTED_AFTER
