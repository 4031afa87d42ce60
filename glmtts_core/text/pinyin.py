"""Which syllable each character of a Mandarin text has.

Knows nothing about numbers, punctuation or sound.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from glmtts_core.text.polyphones import Polyphones, Segments

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Longest entry that is looked for in the phrase dictionary.
_LONGEST_PHRASE: Final = 8
#: The phrase dictionary writes these two as they sound before their neighbour.
_WITHOUT_SANDHI: Final = {"一": "yi1", "不": "bu4"}
#: Syllables of interjections without a vowel, and the nearest that has one.
_WITH_VOWEL: Final = {"m": "mu", "n": "en", "ng": "en", "hm": "heng", "hng": "heng", "ê": "ei"}


@dataclass(frozen=True, slots=True)
class Word:
    """A word of Mandarin and how it is read.

    Args:
        text: its characters.
        pinyin: a syllable with its tone's number for each; 5 is neutral, v stands for ü.
    """

    text: str
    pinyin: tuple[str, ...]


class NoReadingError(ValueError):
    """A text has characters without a known reading.

    Args:
        chars: those characters, each once.
    """

    def __init__(self, chars: list[str]) -> None:
        super().__init__(f"no known reading: {' '.join(chars)}")
        self.chars = chars


class MandarinReader:
    """Reads text character by character: lexical tones, no tone sandhi.

    A character's reading comes from the first of these that knows it: a rule that overrides
    words, our words, the phrases of pypinyin, a rule for single characters, the character's own
    entry. May be used by several threads.

    Args:
        cache_dir: folder for the prepared form of jieba's dictionary.
    """

    def __init__(self, cache_dir: Path) -> None:
        self._cache_dir = cache_dir
        self._lock = threading.Lock()
        self._jieba: Any = None
        self._polyphones: Polyphones

    def load(self) -> None:
        """Load the dictionaries, about a second; later calls return at once."""
        with self._lock:
            if self._jieba is not None:
                return
            import jieba
            import pypinyin  # noqa: F401 - its dictionaries are read below

            # it also works without a cache folder; no traceback about that
            jieba.setLogLevel(logging.CRITICAL)
            if not jieba.dt.initialized:
                with suppress(OSError):
                    self._cache_dir.mkdir(parents=True, exist_ok=True)
                jieba.dt.tmp_dir = str(self._cache_dir)
            jieba.dt.initialize()
            self._polyphones = Polyphones()
            self._jieba = jieba.dt

    def unreadable(self, text: str) -> list[str]:
        """Return the characters of ``text`` that have no known reading, each once."""
        self.load()
        return [char for char in dict.fromkeys(text) if _single(char) is None]

    def words(self, text: str) -> list[Word]:
        """Return the words of ``text``; joined again, they give it unchanged.

        Args:
            text: simplified Mandarin without punctuation; empty text has no words.

        Raises:
            NoReadingError: a character has no known reading: a rare ideograph, or anything else.
        """
        unknown = self.unreadable(text)
        if unknown:
            raise NoReadingError(unknown)
        syllables = self._syllables(text)
        found: list[Word] = []
        start = 0
        for word in self._jieba.cut(text):
            end = start + len(word)
            found.append(Word(word, tuple(syllables[start:end])))
            start = end
        return found

    def _syllables(self, text: str) -> list[str]:
        # without guessed words, which hide what the rules look for
        cut = list(self._jieba.cut(text, HMM=False))
        segments = Segments.of(cut)
        found = _phrase_readings(cut)
        return [
            self._polyphones.reading(segments, position, in_phrase=known is not None)
            or known
            or _single(char)
            or ""
            for position, (char, known) in enumerate(zip(text, found, strict=True))
        ]


def _phrase_readings(words: Sequence[str]) -> list[str | None]:
    """Return what the phrase dictionary says of each character; None where it says nothing.

    Phrases are looked for within each word, and across neighbours of one character each.
    """
    found: list[str | None] = []
    singles = ""
    for word in (*words, ""):
        if len(word) == 1:
            singles += word
            continue
        for part in (singles, word):
            found += _in_part(part)
        singles = ""
    return found


def _in_part(part: str) -> list[str | None]:
    found: list[str | None] = []
    while len(found) < len(part):
        found += _longest_phrase(part, len(found)) or [None]
    return found


def _longest_phrase(part: str, start: int) -> list[str] | None:
    from pypinyin.constants import PHRASES_DICT

    for end in range(min(len(part), start + _LONGEST_PHRASE), start + 1, -1):
        phrase = part[start:end]
        entry = PHRASES_DICT.get(phrase)
        if entry and len(entry) == end - start:
            return [
                _WITHOUT_SANDHI.get(char) or _numbered(syllable[0])
                for char, syllable in zip(phrase, entry, strict=True)
            ]
    return None


@cache
def _single(char: str) -> str | None:
    """Return the commonest reading of a character."""
    from pypinyin.constants import PINYIN_DICT

    entry = PINYIN_DICT.get(ord(char))
    return _numbered(entry.split(",")[0]) if entry else None


@cache
def _numbered(syllable: str) -> str:
    """Return "zhang3" for "zhǎng", "de5" for "de"."""
    from pypinyin.contrib.tone_convert import to_tone3

    numbered = str(to_tone3(syllable, neutral_tone_with_five=True))
    sound, tone = numbered[:-1], numbered[-1]
    return f"{_WITH_VOWEL.get(sound, sound)}{tone}"
