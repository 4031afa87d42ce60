"""Which syllable each character of a Mandarin text has.

Knows nothing about numbers, punctuation or sound.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from glmtts_core.text.mandarin_preparing import prepared_tables
from glmtts_core.text.mandarin_tables import MandarinDictionary
from glmtts_core.text.polyphones import Polyphones, Segments

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Vowels with the mark of each tone; the neutral one, 5, has none.
_MARKED: Final = {
    "a": "āáǎàa", "e": "ēéěèe", "i": "īíǐìi", "o": "ōóǒòo", "u": "ūúǔùu", "v": "ǖǘǚǜü",
}  # fmt: skip
#: Which vowel of a syllable carries the mark: a or e, the o of ou, else the last.
_CARRIES_MARK: Final = re.compile("[ae]|o(?=u)|[iouv](?![a-z]*[aeiouv])")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of Mandarin and how it is read.

    Args:
        text: its characters.
        pinyin: a syllable with its tone's number for each; 5 is neutral, v stands for ü.
    """

    text: str
    pinyin: tuple[str, ...]


def with_tone_mark(syllable: str) -> str:
    """Return "zhǎng" for "zhang3", "de" for "de5"."""
    sound, tone = syllable[:-1], int(syllable[-1])
    marked = _CARRIES_MARK.sub(lambda found: _MARKED[found[0]][tone - 1], sound, count=1)
    return marked.replace("v", "ü")


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
        cache_dir: folder for the prepared dictionaries.
    """

    def __init__(self, cache_dir: Path) -> None:
        self._cache_dir = cache_dir
        self._lock = threading.Lock()
        self._loaded = False
        self._dictionary: MandarinDictionary
        self._jieba: Any
        self._polyphones: Polyphones

    def load(self) -> None:
        """Load the dictionaries; for the first time with a cache folder it takes seconds."""
        with self._lock:
            if self._loaded:
                return
            import jieba

            self._dictionary = MandarinDictionary(prepared_tables(self._cache_dir))
            self._jieba = jieba.Tokenizer()
            self._jieba.FREQ = self._dictionary.frequencies
            self._jieba.total = self._dictionary.all_frequencies
            self._jieba.initialized = True
            self._polyphones = Polyphones()
            self._loaded = True

    def unreadable(self, text: str) -> list[str]:
        """Return the characters of ``text`` that have no known reading, each once."""
        self.load()
        return [char for char in dict.fromkeys(text) if self._dictionary.char(char) is None]

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

    def sounds(self, syllable: str) -> str:
        """Return misaki's phonemes of a syllable as in `Word`; empty for one that is none."""
        self.load()
        return self._dictionary.sounds(syllable)

    def _syllables(self, text: str) -> list[str]:
        # without guessed words, which hide what the rules look for
        cut = list(self._jieba.cut(text, HMM=False))
        segments = Segments.of(cut)
        found = _phrase_readings(cut, self._dictionary)
        return [
            self._polyphones.reading(segments, position, in_phrase=known is not None)
            or known
            or self._dictionary.char(char)
            or ""
            for position, (char, known) in enumerate(zip(text, found, strict=True))
        ]


def _phrase_readings(words: Sequence[str], dictionary: MandarinDictionary) -> list[str | None]:
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
            found += _in_part(part, dictionary)
        singles = ""
    return found


def _in_part(part: str, dictionary: MandarinDictionary) -> list[str | None]:
    found: list[str | None] = []
    while len(found) < len(part):
        found += dictionary.longest_phrase(part, len(found)) or [None]
    return found
