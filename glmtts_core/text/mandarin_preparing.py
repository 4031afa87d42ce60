"""Makes the compact Mandarin dictionaries of jieba, pypinyin and misaki, once.

``python -m glmtts_core.text.mandarin_preparing`` writes them to standard output: making them takes
200 MiB, which a process that lives on would not give back whole.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from marisa_trie import Trie

from glmtts_core.files import open_regular, write_whole
from glmtts_core.text.mandarin_tables import LONGEST_PHRASE, MandarinTables, unpacked

CHILD: Final = [sys.executable, "-m", "glmtts_core.text.mandarin_preparing"]
FILE_NAME: Final = "mandarin.tables"
#: The phrase dictionary writes these two as they sound before their neighbour.
_WITHOUT_SANDHI: Final = {"一": "yi1", "不": "bu4"}
#: Syllables of interjections without a vowel, and the nearest that has one.
_WITH_VOWEL: Final = {"m": "mu", "n": "en", "ng": "en", "hm": "heng", "hng": "heng", "ê": "ei"}
_TONES: Final = "12345"
#: Making them takes three seconds on a free core; a child that hangs is not waited for.
_CHILD_S: Final = 120.0
_log = logging.getLogger(__name__)


def prepared_tables(cache_dir: Path) -> MandarinTables:
    """Return the tables in ``cache_dir``; makes them where they are missing, damaged or outdated.

    They are only kept in memory where the folder cannot be written.
    """
    path = cache_dir / FILE_NAME
    try:
        with open_regular(path) as file:
            tables = unpacked(file.read())
    except OSError:
        tables = None
    if tables is not None:
        return tables
    data = _made_elsewhere()
    tables = unpacked(data) if data else None
    if tables is None:
        tables = make_tables()
        data = tables.packed()
    try:
        write_whole(path, data)
    except OSError as error:
        _log.info("the Mandarin tables are not kept: %s", error)
    return tables


def _made_elsewhere() -> bytes:
    """Return the packed tables from a child process; empty if it failed."""
    reason: object
    try:
        return subprocess.run(
            CHILD,
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_CHILD_S,
            check=True,
        ).stdout
    except subprocess.CalledProcessError as error:
        told = bytes(error.stderr).decode(errors="replace").strip()
        reason = told.splitlines()[-1] if told else error
    except (OSError, subprocess.SubprocessError) as error:
        reason = error
    _log.warning("the Mandarin tables are made in this process: %s", reason)
    return b""


def make_tables() -> MandarinTables:
    """Return the tables, made from the packages' own dictionaries; they stay in memory."""
    import jieba

    # not from pypinyin.constants: other packages change those
    from pypinyin.phrases_dict import phrases_dict
    from pypinyin.pinyin_dict import pinyin_dict

    words, total = jieba.Tokenizer.gen_pfdict(jieba.get_module_res(jieba.DEFAULT_DICT_NAME))
    number = _Syllables()
    word_trie = Trie(words)
    phrases = {
        phrase: [
            number(_in_phrase(char, entry)) for char, entry in zip(phrase, entries, strict=True)
        ]
        for phrase, entries in phrases_dict.items()
        if 1 < len(phrase) == len(entries) <= LONGEST_PHRASE
    }
    phrase_trie = Trie(phrases)
    starts, phrase_syllables = _joined(phrases, phrase_trie)
    chars = np.zeros(max(pinyin_dict) + 1, np.uint16)
    for code, entry in pinyin_dict.items():
        commonest, *_ = [number(_numbered(each)) for each in entry.split(",")]
        chars[code] = commonest
    syllables = number.with_all_tones()
    return MandarinTables(
        words=np.frombuffer(word_trie.tobytes(), np.uint8),
        frequencies=_by_number(words, word_trie),
        all_frequencies=np.array([total]),
        phrases=np.frombuffer(phrase_trie.tobytes(), np.uint8),
        phrase_starts=starts,
        phrase_syllables=phrase_syllables,
        char_syllables=chars,
        syllables=np.array(syllables),
        sounds=np.array([_sounds(syllable) for syllable in syllables]),
    )


class _Syllables:
    """Gives each syllable a number, from 1 on."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {"": 0}

    def __call__(self, syllable: str) -> int:
        return self._numbers.setdefault(syllable, len(self._numbers))

    def with_all_tones(self) -> list[str]:
        """Return all by number, and behind them the same in their other tones, for tone sandhi."""
        for syllable in list(self._numbers)[1:]:
            for tone in _TONES:
                self(syllable[:-1] + tone)
        return list(self._numbers)


def _joined(
    phrases: dict[str, list[int]], trie: Any
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint16]]:
    """Return where the syllables of each phrase start, by its number, and all syllables."""
    starts = np.zeros(len(phrases), np.uint32)
    joined: list[int] = []
    for phrase, syllables in phrases.items():
        starts[trie[phrase]] = len(joined)
        joined += syllables
    return starts, np.array(joined, np.uint16)


def _by_number(frequencies: dict[str, int], trie: Any) -> npt.NDArray[np.uint32]:
    found = np.zeros(len(frequencies), np.uint32)
    for word, frequency in frequencies.items():
        found[trie[word]] = frequency
    return found


def _in_phrase(char: str, entry: list[str]) -> str:
    return _WITHOUT_SANDHI.get(char) or _numbered(entry[0])


@cache
def _numbered(syllable: str) -> str:
    """Return "zhang3" for "zhǎng", "de5" for "de"."""
    from pypinyin.contrib.tone_convert import to_tone3

    numbered = str(to_tone3(syllable, neutral_tone_with_five=True))
    sound, tone = numbered[:-1], numbered[-1]
    return f"{_WITH_VOWEL.get(sound, sound)}{tone}"


def _sounds(syllable: str) -> str:
    """Return the phonemes of a syllable; empty where misaki knows none."""
    from misaki.zh import ZHG2P

    try:
        return str(ZHG2P.py2ipa(syllable))
    except (ValueError, AssertionError, KeyError):
        return ""


if __name__ == "__main__":
    sys.stdout.buffer.write(make_tables().packed())
