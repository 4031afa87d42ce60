"""Readings of Mandarin characters with several, from the words and the context around them.

Knows nothing about where words begin: the caller says so. The words and the rules are in
``polyphone_words.txt`` and ``polyphone_rules.txt``, whose first lines explain their form.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_WORDS_FILE: Final = Path(__file__).with_name("polyphone_words.txt")
_RULES_FILE: Final = Path(__file__).with_name("polyphone_rules.txt")
#: Most characters before a character that a rule looks at.
_SIGHT: Final = 12


@dataclass(frozen=True, slots=True)
class Segments:
    """A text cut into words: where each character's word starts and ends."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, words: Sequence[str]) -> Segments:
        """Return the segments of a text that was cut into ``words``."""
        starts: list[int] = []
        ends: list[int] = []
        for word in words:
            start = len(starts)
            starts += [start] * len(word)
            ends += [start + len(word)] * len(word)
        return cls("".join(words), tuple(starts), tuple(ends))

    def holds(self, start: int, end: int) -> bool:
        """Return whether text[start:end] is made of whole words, or lies in one word."""
        if self.ends[start] >= end:
            return True
        return self.starts[start] == start and self.ends[end - 1] == end


@dataclass(frozen=True, slots=True)
class PolyphoneRule:
    """A reading that holds between certain neighbours."""

    name: str
    char: str
    pinyin: str
    overrides: bool  # holds inside a word of the phrase dictionary, too
    before: re.Pattern[str]
    after: re.Pattern[str]
    example: str

    def fits(self, text: str, position: int) -> bool:
        """Return whether the rule holds for the character at ``position``."""
        if not self.after.match(text, position + 1):
            return False
        return bool(self.before.search(text, max(0, position - _SIGHT), position))


class Polyphones:
    """The words, rules and defaults of all characters that have some."""

    def __init__(self) -> None:
        self.defaults: dict[str, str] = {}
        self._words: dict[str, dict[str, str]] = defaultdict(dict)
        for char, pinyin, words in word_lines():
            if not words:
                self.defaults[char] = pinyin
            for word in words:
                if self._words[char].setdefault(word, pinyin) != pinyin:
                    raise ValueError(f"{_WORDS_FILE}: {word} has two readings of {char}")
        self._places = {char: _places(char, words) for char, words in self._words.items()}
        self._rules: dict[str, list[PolyphoneRule]] = defaultdict(list)
        for rule in all_rules():
            self._rules[rule.char].append(rule)

    def reading(self, segments: Segments, position: int, *, in_phrase: bool) -> str | None:
        """Return the reading of the character at ``position``; None when nothing here knows it.

        Args:
            segments: the text and its words.
            position: of the character.
            in_phrase: the phrase dictionary has a reading for it already.
        """
        char = segments.text[position]
        rules = self._rules.get(char, ())
        for rule in rules:
            if rule.overrides and rule.fits(segments.text, position):
                return rule.pinyin
        by_word = self._by_word(segments, position, char)
        if by_word or in_phrase:
            return by_word
        for rule in rules:
            if not rule.overrides and rule.fits(segments.text, position):
                return rule.pinyin
        return self.defaults.get(char)

    def _by_word(self, segments: Segments, position: int, char: str) -> str | None:
        for length, offset in self._places.get(char, ()):
            start = position - offset
            if start < 0 or start + length > len(segments.text):
                continue
            pinyin = self._words[char].get(segments.text[start : start + length])
            if pinyin and segments.holds(start, start + length):
                return pinyin
        return None


def _places(char: str, words: Iterable[str]) -> list[tuple[int, int]]:
    """Return the lengths of ``words`` with the offsets of ``char`` in them, longest first."""
    found = {
        (len(word), offset) for word in words for offset, other in enumerate(word) if other == char
    }
    return sorted(found, reverse=True)


def word_lines() -> Iterator[tuple[str, str, list[str]]]:
    """Return each line of the file of words: character, reading, words."""
    for line in _lines(_WORDS_FILE):
        char, pinyin, *words = line.split()
        yield char, pinyin, words


@cache
def all_rules() -> tuple[PolyphoneRule, ...]:
    """Return the rules of the file in their order: the first that fits decides."""
    macros: dict[str, str] = {}
    found: list[PolyphoneRule] = []
    name = ""
    for line in _lines(_RULES_FILE):
        if line.startswith("["):
            name = line.strip("[]")
        elif line.startswith("{"):
            macro, _, pattern = line.partition(" ")
            macros[macro] = f"(?:{pattern.strip()})"
        else:
            found.append(_rule(name, line, macros))
    return tuple(found)


def _rule(name: str, line: str, macros: dict[str, str]) -> PolyphoneRule:
    line, _, example = line.partition(" # ")
    for macro, pattern in macros.items():
        line = line.replace(macro, pattern)
    char, pinyin, before, after = line.split()
    return PolyphoneRule(
        name,
        char,
        pinyin.rstrip("!"),
        pinyin.endswith("!"),
        re.compile("" if before == "-" else f"(?:{before})$"),
        re.compile("" if after == "-" else after),
        example.strip(),
    )


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith("# "):
            yield line
