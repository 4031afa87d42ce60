"""Sentences of a text of any length, short enough to be spoken one at a time."""

from __future__ import annotations

import re
from typing import Final

from glmtts_core.text.script import HAN

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
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|no|vs|etc|e\.g|i\.e|jr|sr|fig|approx)|\b[A-Z])\.$",
    re.IGNORECASE,
)
#: Where a long sentence may be cut, the least audible place first.
_CUTS: Final = (re.compile(r"[，,；;：:、—](?!\d)"), re.compile(r"\s"))


def sentences(text: str, max_chars: int) -> list[str]:
    """Split into sentences of at most ``max_chars`` characters; only white space is lost.

    A sentence that is longer is cut at commas and the like, else at spaces, else anywhere.
    """
    found: list[str] = []
    start = 0
    for match in _END.finditer(text):
        if match.group().startswith(".") and _ABBREVIATION.search(text[start : match.end()]):
            continue
        found += _pieces(text[start : match.end()].strip(), max_chars)
        start = match.end()
    return found + _pieces(text[start:].strip(), max_chars)


def _pieces(sentence: str, max_chars: int) -> list[str]:
    """Cut one sentence into parts of at most ``max_chars``, none when it is empty."""
    found: list[str] = []
    while len(sentence) > max_chars:
        cut = _best_cut(sentence, max_chars)
        found.append(sentence[:cut].strip())
        sentence = sentence[cut:].strip()
    return [piece for piece in (*found, sentence) if piece]


def _best_cut(sentence: str, max_chars: int) -> int:
    """Return where to cut: after the last mark that leaves no crumb, at the latest max_chars."""
    for mark in _CUTS:
        ends = [match.end() for match in mark.finditer(sentence, 0, max_chars)]
        if ends and ends[-1] > max_chars // 4:
            return ends[-1]
    return max_chars
