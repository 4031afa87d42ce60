"""Which stretch of a text is Mandarin and which is English."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from glmtts_core.catalogue import Language

#: Ideographs: the unified blocks with their extensions, compatibility forms, and the zero 〇.
HAN: Final = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
#: Latin letters, with accents.
LATIN: Final = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
#: Ideographs in a row.
HAN_RUN: Final = re.compile(f"[{HAN}]+")

_HAN: Final = re.compile(f"[{HAN}]")
_LATIN: Final = re.compile(f"[{LATIN}]")
_TOKEN: Final = re.compile(rf"(?P<zh>[{HAN}]+)|(?P<en>[{LATIN}]+)|[^{HAN}{LATIN}]", re.DOTALL)
#: Marks that belong to what follows them.
_OPENING: Final = frozenset("([{<《〈「『【（“‘¿¡")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one language, with its punctuation."""

    text: str
    language: Language


def main_language(text: str, default: Language = "zh") -> Language:
    """Return the language of a text: Mandarin as soon as it has an ideograph."""
    if _HAN.search(text):
        return "zh"
    return "en" if _LATIN.search(text) else default


def runs(text: str, default: Language = "zh") -> list[Run]:
    """Split a text where its language changes; joined again, the runs give the text unchanged.

    Marks stay with the word before them, opening ones with the next.

    Args:
        text: words and marks, without figures.
        default: language of a text that has no words.
    """
    tokens = [(_language(match.lastgroup), match.group()) for match in _TOKEN.finditer(text)]
    following: list[Language | None] = []
    after: Language | None = None
    for language, _ in reversed(tokens):
        after = language or after
        following.append(after)
    before: Language | None = None
    pairs: list[tuple[Language, str]] = []
    for (language, part), ahead in zip(tokens, reversed(following), strict=True):
        joins = ahead or before if part in _OPENING else before or ahead
        before = language or joins or default
        pairs.append((before, part))
    return [
        Run("".join(part for _, part in group), spoken_in)
        for spoken_in, group in groupby(pairs, key=lambda pair: pair[0])
    ]


def _language(group: str | None) -> Language | None:
    return "zh" if group == "zh" else "en" if group == "en" else None
