"""What surrounds a place in a text: which language a number there is read in.

Knows nothing about numbers.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache
from typing import Final

from glmtts_core.catalogue import Language
from glmtts_core.text.patterns import WORD_BEGINS, WORD_ENDS
from glmtts_core.text.script import HAN, LATIN
from glmtts_core.text.units import UNIT

#: Where one sentence ends and another may be in another language.
_BORDER: Final = re.compile(r"[。！？!?\n；]|\.(?=\s)")
_HAN: Final = re.compile(f"[{HAN}]")
_LATIN: Final = re.compile(f"[{LATIN}]")
#: Three English words in a row: a number after them belongs to their sentence.
_CLAUSE: Final = re.compile(rf"(?:[{LATIN}][{LATIN}'’-]*[ ,]+){{3}}$")
_ENDS_BESIDE: Final = re.compile(
    rf"[{HAN}][^\w，。！？；：、,.!?;:]*[\d.]*[^\w，。！？；：、,.!?;:]*$"
)
_BEGINS_BESIDE: Final = re.compile(rf"[^\w，。！？；：、,.!?;:]*\d*[{HAN}]")
_WIDE_MARK: Final = re.compile("[，。！？：；、（）《》「」【】]")
_FORMULA_PART: Final = r"[\d\s+\-*/=()^.×÷²³<>≤≥≠≈%√πA-Za-z]{0,40}"
_FORMULA_BEFORE: Final = re.compile(f"{_FORMULA_PART}$")
_FORMULA_AFTER: Final = re.compile(_FORMULA_PART)
#: A sign that makes a formula of what is around it.
_FORMULA_SIGN: Final = re.compile(
    rf"[=×÷≠≈≤≥√^²³]|\d\s?[+*]\s?\d|{WORD_BEGINS}[a-z]\s?[+*]\s?\d|\d\s?[+*]\s?[a-z]{WORD_ENDS}"
)
_UNIT_OF_NUMBER: Final = re.compile(
    rf"(?:\d|[⁰¹²³⁴-⁹]/?|\^\d{{1,3}}/)((?:{UNIT})|\s(?:{UNIT})(?<=[^\s]{{2}}))(?![A-Za-z\d])"
)
#: A letter alone on either side of a sign: of a formula, not of an English sentence.
_VARIABLE_BEFORE: Final = re.compile(rf"(?<![{LATIN}])[{LATIN}]\s?$")
_VARIABLE: Final = re.compile(rf"\s?[{LATIN}](?![{LATIN}])")
#: How far a neighbour may be.
_SIGHT: Final = 400


class Context:
    """A narrow text and what is to be known about its parts.

    Args:
        text: the narrow form of a text.
        default: language of what has neither ideographs nor letters around it.
    """

    def __init__(self, text: str, default: Language) -> None:
        self.text = text
        self._kinds = _without_units(text, "".join(map(_kind, text)))
        self._borders = [0, *(match.end() for match in _BORDER.finditer(text)), len(text)]
        whole = self._only(0, len(text), 0, 0)
        self._fallback: Language = whole or ("zh" if "h" in self._kinds else default)
        if whole is None and "h" not in self._kinds and _WIDE_MARK.search(text):
            self._fallback = "zh"

    @property
    def has_ideographs(self) -> bool:
        """Whether the text has ideographs."""
        return "h" in self._kinds

    @property
    def has_letters(self) -> bool:
        """Whether the text has Latin letters."""
        return "l" in self._kinds

    def in_formula(self, start: int, end: int) -> bool:
        """Return whether text[start:end] is next to numbers with a sign that only formulas have."""
        before = _FORMULA_BEFORE.search(self.text[max(0, start - 40) : start])
        after = _FORMULA_AFTER.match(self.text, end, min(len(self.text), end + 40))
        around = (before[0] if before else "") + " " + (after[0] if after else "")
        return bool(_FORMULA_SIGN.search(around))

    def language(self, start: int, end: int) -> Language:
        """Return the language in which text[start:end], a number or a sign, is read."""
        index = bisect_right(self._borders, start) - 1
        low = max(self._borders[index], start - _SIGHT)
        high = min(self._borders[index + 1], end + _SIGHT) if end < len(self.text) else end
        only = self._only(low, max(high, end), start, end)
        if only is not None:
            return only
        if "h" not in self._kinds[low:start] and "h" not in self._kinds[end:high]:
            return self._fallback
        return "en" if self._among_english(low, start, end, high) else "zh"

    def _only(self, low: int, high: int, start: int, end: int) -> Language | None:
        """Return the one language around text[start:end]; None where there are both or none."""
        around = self._kinds[low:start] + self._kinds[end:high]
        if "h" in around:
            return None if "l" in around else "zh"
        return "en" if "l" in around else None

    def _among_english(self, low: int, start: int, end: int, high: int) -> bool:
        if self._beside_ideograph(low, start, end, high):
            return False
        if _VARIABLE_BEFORE.search(self.text, low, start) and _VARIABLE.match(self.text, end):
            return False
        before = _last_word(self._kinds, low, start)
        after, place = _next_word(self._kinds, end, high)
        ends = bool(_WIDE_MARK.search(self.text, end, place))
        if before == "l":
            if after == "l" and not ends:
                return True
            clause = bool(_CLAUSE.search(self.text[max(low, start - 80) : start]))
            return clause and (after == "" or ends)
        return after == "l" and not ends

    def _beside_ideograph(self, low: int, start: int, end: int, high: int) -> bool:
        """Return whether nothing but figures and signs lies between the place and an ideograph."""
        before = self.text[low:start].rsplit(None, 1)[-1:] or [""]
        after = self.text[end:high].split(None, 1)[:1] or [""]
        joined = start > low and not self.text[start - 1].isspace()
        joins = end < high and not self.text[end].isspace()
        return bool(
            (joined and _ENDS_BESIDE.search(before[0]))
            or (joins and _BEGINS_BESIDE.match(after[0]))
        )


def _last_word(kinds: str, low: int, start: int) -> str:
    place = max(kinds.rfind("h", low, start), kinds.rfind("l", low, start))
    return kinds[place] if place >= 0 else ""


def _next_word(kinds: str, end: int, high: int) -> tuple[str, int]:
    """Return the kind of the next letter or ideograph, and where it is."""
    places = [
        place for place in (kinds.find("h", end, high), kinds.find("l", end, high)) if place >= 0
    ]
    return (kinds[min(places)], min(places)) if places else ("", high)


def _without_units(text: str, kinds: str) -> str:
    """Return ``kinds`` without the letters of units, which are the same in both languages."""
    parts: list[str] = []
    start = 0
    for match in _UNIT_OF_NUMBER.finditer(text):
        first, end = match.span(1)
        parts += [kinds[start:first], "-" * (end - first)]
        start = end
    return "".join((*parts, kinds[start:]))


@cache
def _kind(char: str) -> str:
    """Return h for an ideograph, l for a Latin letter and - for anything else."""
    if _HAN.match(char):
        return "h"
    return "l" if _LATIN.match(char) else "-"
