"""Sentences of a text of any length, short enough to be spoken one at a time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from glmtts_core.text.patterns import WORD_BEGINS
from glmtts_core.text.script import HAN, LATIN

_CLOSERS: Final = "\"'”’」』】）)》〉\\]"
#: The end of a sentence: a strong mark with what closes behind it, a full stop that is not inside
#: a number or a name, or a line break before anything but a lower-case letter (a wrapped line).
_END: Final = re.compile(
    rf"[。！？!?…]+[{_CLOSERS}]*"
    rf"|\.+[{_CLOSERS}]*(?=\s|$|[{HAN}])"
    r"|\s*\n\s*(?![a-z])"
)
#: Words whose full stop does not end a sentence.
_ABBREVIATION: Final = re.compile(
    rf"(?:{WORD_BEGINS}(?:mr|mrs|ms|dr|prof|st|no|vs|etc|e\.g|i\.e|jr|sr|fig|approx)|{WORD_BEGINS}[A-Z])\.$",
    re.IGNORECASE,
)
#: What is never torn apart: a word, number, date or time with its sign and unit, also where its
#: figures are ideographs. A number takes the ideograph behind it along, since 2026年 and 2026 are
#: read differently.
_TOKEN: Final = re.compile(
    r"(?:[零一二三四五六七八九十百千万亿两幺负点]+(?:分之|[年月日号时分秒])?)+"
    rf"(?:(?<=[零一二三四五六七八九十百千万亿两幺])[{HAN}])?"
    rf"|[-+±$¥￥€£#@]?[{LATIN}\d]+"
    rf"(?:(?:[-./'’&@_+~～]|(?<=\d)[,:：](?=\d))[{LATIN}\d]+)*(?:[%℃℉°]|(?<=\d)[{HAN}])?"
)
#: Where a long sentence may be cut, the least audible place first.
_CUTS: Final = (re.compile(r"[，,；;：:、—]"), re.compile(r"\s"))


def _one(_: str) -> float:
    return 1.0


def sentences(text: str, limit: float, size_of: Callable[[str], float] = _one) -> list[str]:
    """Split into sentences of at most ``limit``; only white space is lost.

    A sentence that is longer is cut at commas and the like, else at spaces, else anywhere, but
    inside a word or number only when that alone is longer than the limit.

    Args:
        text: any text.
        limit: greatest size of a sentence.
        size_of: size of a character; by default sentences are measured in characters.
    """
    found: list[str] = []
    start = 0
    for match in _END.finditer(text):
        if match.group().startswith(".") and _ABBREVIATION.search(text[start : match.end()]):
            continue
        found += _pieces(text[start : match.end()].strip(), limit, size_of)
        start = match.end()
    return found + _pieces(text[start:].strip(), limit, size_of)


def _pieces(sentence: str, limit: float, size_of: Callable[[str], float]) -> list[str]:
    """Cut one sentence into parts of at most ``limit``, none when it is empty."""
    found: list[str] = []
    while (reach := _reach(sentence, limit, size_of)) < len(sentence):
        cut = _best_cut(sentence, reach, _reach(sentence, limit / 4, size_of))
        found.append(sentence[:cut].strip())
        sentence = sentence[cut:].strip()
    return [piece for piece in (*found, sentence) if piece]


def _reach(sentence: str, limit: float, size_of: Callable[[str], float]) -> int:
    """Return how many characters from the start stay within ``limit``; at least one."""
    size = 0.0
    for position, char in enumerate(sentence):
        size += size_of(char)
        if size > limit:
            return max(position, 1)
    return len(sentence)


def _best_cut(sentence: str, reach: int, crumb: int) -> int:
    """Return where to cut: after the last mark beyond ``crumb`` characters, at most ``reach``."""
    torn: set[int] = set()
    for token in _TOKEN.finditer(sentence):
        if token.start() >= reach:
            break
        torn.update(range(token.start() + 1, min(token.end(), reach + 1)))
    for mark in _CUTS:
        ends = [match.end() for match in mark.finditer(sentence, 0, reach)]
        whole = [end for end in ends if end > crumb and end not in torn]
        if whole:
            return whole[-1]
    return next((cut for cut in range(reach, 0, -1) if cut not in torn), reach)
