"""The Mandarin dictionaries as tries and arrays of 4 MiB, where their packages take 130 MiB.

Knows nothing about how they are made, nor which of several readings is right.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from marisa_trie import Trie

#: Raised when what is in the tables changes, or how they are kept.
_FORMAT: Final = 1
#: What they are made of, and what their tries are kept by.
_PACKAGES: Final = ("jieba", "pypinyin", "misaki", "marisa-trie")
_DIGEST_BYTES: Final = hashlib.sha256().digest_size
#: Longest entry that is looked for in the phrase dictionary.
LONGEST_PHRASE: Final = 8


class WordFrequencies:
    """How often each word is found in texts, as jieba asks for it; 0 for beginnings of words."""

    def __init__(self, trie: bytes, frequencies: npt.NDArray[np.uint32]) -> None:
        self._trie: Any = Trie().frombytes(trie)
        # gives Python's numbers, and those quicker than an array
        self._frequencies = frequencies.data

    def __contains__(self, word: str) -> bool:
        return word in self._trie

    def __getitem__(self, word: str) -> int:
        found: int = self._frequencies[self._trie[word]]
        return found

    def get(self, word: str, default: int | None = None) -> int | None:
        """Return the frequency of a word; ``default`` for one that is not known."""
        number = self._trie.get(word)
        return default if number is None else self._frequencies[number]


# arrays have no meaningful equality
@dataclass(frozen=True, eq=False)
class MandarinTables:
    """Words, phrases, characters and syllables; syllables are numbered, 0 is none.

    Attributes:
        words: the trie of jieba's words and of their beginnings.
        frequencies: of each word, by its number in the trie.
        all_frequencies: their sum, shape (1,).
        phrases: the trie of the phrases that have a syllable for each character.
        phrase_starts: where the syllables of each phrase begin, by its number in the trie.
        phrase_syllables: of all phrases, without tone sandhi.
        char_syllables: the commonest of each character, by its code point.
        syllables: "zhang3", by number; 5 is the neutral tone, v stands for ü.
        sounds: misaki's phonemes of each syllable.
    """

    words: npt.NDArray[np.uint8]
    frequencies: npt.NDArray[np.uint32]
    all_frequencies: npt.NDArray[np.int64]
    phrases: npt.NDArray[np.uint8]
    phrase_starts: npt.NDArray[np.uint32]
    phrase_syllables: npt.NDArray[np.uint16]
    char_syllables: npt.NDArray[np.uint16]
    syllables: npt.NDArray[np.str_]
    sounds: npt.NDArray[np.str_]

    def packed(self) -> bytes:
        """Return the tables as the content of a file."""
        content = io.BytesIO()
        np.savez(content, **{each.name: getattr(self, each.name) for each in fields(self)})
        return _digest(content.getvalue()) + content.getvalue()


def unpacked(data: bytes) -> MandarinTables | None:
    """Return the tables of a file; None for a damaged one, or one of other packages or formats."""
    content = memoryview(data)[_DIGEST_BYTES:]
    if data[:_DIGEST_BYTES] != _digest(content):
        return None
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return MandarinTables(**stored)


def _digest(content: bytes | memoryview) -> bytes:
    key = f"{_FORMAT} {[version(package) for package in _PACKAGES]}"
    digest = hashlib.sha256(key.encode())
    digest.update(content)
    return digest.digest()


class MandarinDictionary:
    """Answers from the tables."""

    def __init__(self, tables: MandarinTables) -> None:
        self.frequencies = WordFrequencies(tables.words.tobytes(), tables.frequencies)
        self.all_frequencies = int(tables.all_frequencies[0])
        self._phrases: Any = Trie().frombytes(tables.phrases.tobytes())
        self._phrase_starts = tables.phrase_starts.data
        self._phrase_syllables = tables.phrase_syllables.data
        self._char_syllables = tables.char_syllables.data
        self._syllables: list[str] = tables.syllables.tolist()
        self._sounds = dict(zip(self._syllables, tables.sounds.tolist(), strict=True))

    def char(self, char: str) -> str | None:
        """Return the commonest syllable of a character; None for one without a known reading."""
        code = ord(char)
        number = self._char_syllables[code] if code < len(self._char_syllables) else 0
        return self._syllables[number] or None

    def longest_phrase(self, text: str, start: int) -> list[str] | None:
        """Return the syllables of the longest phrase that begins at ``start``; None without one."""
        found = self._phrases.prefixes(text[start : start + LONGEST_PHRASE])
        if not found:
            return None
        phrase = max(found, key=len)
        first = self._phrase_starts[self._phrases[phrase]]
        numbers = self._phrase_syllables[first : first + len(phrase)]
        return [self._syllables[number] for number in numbers]

    def sounds(self, syllable: str) -> str:
        """Return misaki's phonemes of a syllable; empty for one that no character has."""
        found: str = self._sounds.get(syllable, "")
        return found
