"""Text to phonemes for Kokoro: Mandarin syllables as misaki says them, English through espeak.

Knows nothing about sound; each piece that it returns is one run of the model.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from glmtts_core.catalogue import Language
from glmtts_core.engines.kokoro.english import EnglishReader
from glmtts_core.errors import EngineError, ReadingError
from glmtts_core.text.pinyin import MandarinReader
from glmtts_core.text.reading import Reading, read_text
from glmtts_core.text.sandhi import with_sandhi
from glmtts_core.text.script import HAN, LATIN, Run, main_language, runs
from glmtts_core.text.split import sentences

#: Most tokens of one model run. The model takes 510; a third of it keeps a run under about five
#: seconds on two cores and the workspace small.
MAX_TOKENS: Final = 170
#: Expected tokens before a sentence is cut at a comma; the rest is for what was underestimated.
_EXPECTED_TOKENS: Final = 165.0
#: Expected tokens of an ideograph (measured: 4.0 to 4.8) and of any other character (1.1 to 1.2).
_IDEOGRAPH_TOKENS: Final = 4.5
_OTHER_TOKENS: Final = 1.2
_IDEOGRAPH: Final = re.compile(f"[{HAN}]")
_IDEOGRAPHS: Final = re.compile(f"([{HAN}]+)")
_LETTER: Final = re.compile(f"[{LATIN}]")
#: Letters with accents that English does not have: espeak spells them out by number.
_FOREIGN_LETTER: Final = re.compile("[\u0100-\u024f\u1e00-\u1eff]")
#: A sentence below this is spoken together with its neighbour: on its own the model hurries it.
_MIN_TOKENS: Final = 60
#: Silence after a piece at speed 1, by the mark that it ends with, in seconds.
_PAUSE_S: Final = {".": 0.30, "!": 0.30, "?": 0.30, "…": 0.30, ",": 0.15, ";": 0.18, ":": 0.18}
_NO_MARK_PAUSE_S: Final = 0.05
#: English p, t and k before a stressed vowel. They are aspirated, which espeak does not write, and
#: which the model forgets among Mandarin, where a plain p is heard as b: the character error rate
#: of mixed sentences was 10 % without the mark and 3 % with it.
_ASPIRATED: Final = re.compile(r"(?<!s)([ptk])(?=[ɹlwj]?[ˈˌ])")
#: Chinese punctuation in the marks that the model knows.
_MARKS: Final = str.maketrans(
    {
        "，": ", ", "、": ", ", "。": ". ", "！": "! ", "？": "? ", "；": "; ", "：": ": ",
        "（": " (", "）": ") ", "《": " “", "》": "” ", "〈": " “", "〉": "” ", "「": " “",
        "」": "” ", "『": " “", "』": "” ", "【": " “", "】": "” ", "–": "—", "~": ", ",
        "～": ", ", "·": " ",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """The input of one run of the model.

    Attributes:
        phonemes: of its words.
        language: of its words, or of the whole text where a piece may mix both languages.
        pause_s: silence after it at natural speed, in seconds.
    """

    phonemes: str
    language: Language
    pause_s: float


@dataclass(frozen=True, slots=True)
class SpokenRun:
    """A part of a sentence in one language, as it is spoken.

    Attributes:
        language: of its words.
        spoken: the words, with their marks.
        phonemes: of the words.
        pinyin: a syllable with its tone's number for each ideograph of `spoken`.
    """

    language: Language
    spoken: str
    phonemes: str
    pinyin: tuple[str, ...] = ()


#: Phonemes that the model can take at once, and their language.
_Part = tuple[str, Language]


class Phonemizer:
    """The front ends of the two languages; each is loaded when it is first needed."""

    def __init__(self, cache_dir: Path) -> None:
        self._loaded_english: EnglishReader | None = None
        self._mandarin = MandarinReader(cache_dir)

    def load_english(self) -> None:
        """Load espeak."""
        if self._loaded_english is None:
            self._loaded_english = EnglishReader()

    def load_mandarin(self) -> None:
        """Load the dictionaries; their prepared form goes into the cache folder."""
        self._mandarin.load()

    def tokens(self, phonemes: str) -> list[int]:
        """Return the model's token numbers; phonemes outside its vocabulary are left out."""
        return self._english.tokens(phonemes)

    @property
    def _english(self) -> EnglishReader:
        self.load_english()
        if self._loaded_english is None:
            raise AssertionError("it was loaded")
        return self._loaded_english

    def pieces(
        self,
        text: str,
        before_each: Callable[[], None] = lambda: None,
        by_language: bool = False,
        default: Language = "zh",
    ) -> list[Piece]:
        """Return the pieces of ``text``; none if nothing can be spoken.

        Args:
            text: as the user typed it.
            before_each: called before each sentence; its errors are not caught.
            by_language: split a sentence where its language changes, so that each piece can have
                its own voice.
            default: language of figures where the text has no words.

        Raises:
            EngineError: a front end failed.
            ReadingError: a front end returned nothing for a part of the text.
        """
        spoken = read_text(text, default).spoken
        language = main_language(spoken, default)
        texts = sentences(spoken, _EXPECTED_TOKENS, expected_tokens)
        parts = self._fitting(texts, language, before_each, by_language)
        return [
            Piece(phonemes, spoken_in, _pause_after(phonemes))
            for phonemes, spoken_in in _joined(parts)
        ]

    def spoken_runs(self, reading: Reading, default: Language = "zh") -> list[SpokenRun]:
        """Return how a text is spoken, sentence by sentence, a run for each language.

        Raises:
            EngineError: a front end failed.
            ReadingError: a front end returned nothing for a part of the text.
        """
        language = main_language(reading.spoken, default)
        found: list[SpokenRun] = []
        for sentence in sentences(reading.spoken, _EXPECTED_TOKENS, expected_tokens):
            together = runs(sentence, language)
            for run in together:
                phonemes = self._known(self._run(run, among_mandarin=len(together) > 1))
                pinyin = self._pinyin(run) if run.language == "zh" else ()
                found.append(SpokenRun(run.language, run.text.strip(), phonemes, pinyin))
        return found

    def _fitting(
        self,
        texts: list[str],
        language: Language,
        before_each: Callable[[], None],
        by_language: bool,
    ) -> Iterator[_Part]:
        """Yield the phonemes of each sentence, in parts that the model can take."""
        from kokoro_onnx.chunker import split_phonemes

        for text in texts:
            before_each()
            found = runs(text, language)
            alone = [([run], run.language) for run in found]
            for together, spoken_in in alone if by_language else [(found, language)]:
                for phonemes in split_phonemes(self._phonemes(together), MAX_TOKENS):
                    yield phonemes, spoken_in

    def _phonemes(self, together: list[Run]) -> str:
        """Return the phonemes of runs that are spoken together; empty if they are only marks."""
        parts = (self._run(run, among_mandarin=len(together) > 1) for run in together)
        known = self._known(" ".join(part for part in parts if part))
        return known if any(char.isalpha() for char in known) else ""

    def _known(self, phonemes: str) -> str:
        return " ".join(self._english.known(phonemes).split())

    def _run(self, run: Run, *, among_mandarin: bool) -> str:
        """Return the phonemes of one run.

        Raises:
            EngineError: a front end failed.
            ReadingError: it returned nothing for words.
        """
        try:
            phonemes = (
                self._mandarin_run(run.text)
                if run.language == "zh"
                else self._english_run(run.text)
            )
        except (RuntimeError, ValueError, AssertionError) as error:
            raise EngineError("kokoro.phonemes", reason=error) from error
        words = _IDEOGRAPH.search(run.text) or _LETTER.search(run.text)
        if words and not any(char.isalpha() for char in self._known(phonemes)):
            raise ReadingError("text.unread_part", part=run.text.strip())
        if run.language == "en" and among_mandarin:
            return _ASPIRATED.sub(r"\1ʰ", phonemes)
        return phonemes

    def _english_run(self, text: str) -> str:
        plain = _FOREIGN_LETTER.sub(_without_accents, text)
        return self._english.phonemes(plain.translate(_MARKS))

    def _mandarin_run(self, text: str) -> str:
        parts = _IDEOGRAPHS.split(text)
        return "".join(
            self._mandarin_words(part) if place % 2 else part.translate(_MARKS)
            for place, part in enumerate(parts)
        ).strip()

    def _mandarin_words(self, text: str) -> str:
        words = self._mandarin.words(text)
        said = with_sandhi(text, [syllable for word in words for syllable in word.pinyin])
        sounds = iter([self._sounds(syllable) for syllable in said])
        return " ".join("".join(next(sounds) for _ in word.pinyin) for word in words)

    def _sounds(self, syllable: str) -> str:
        """Return the phonemes of a syllable with its tone's number.

        Raises:
            ReadingError: misaki has none.
        """
        # the mark below a vowel is not in the model's vocabulary
        sounds = self._mandarin.sounds(syllable).replace("\u032f", "")
        if not sounds:
            raise ReadingError("text.unread_part", part=syllable)
        return sounds

    def _pinyin(self, run: Run) -> tuple[str, ...]:
        return tuple(
            syllable
            for part in _IDEOGRAPHS.findall(run.text)
            for word in self._mandarin.words(part)
            for syllable in word.pinyin
        )


def _without_accents(match: re.Match[str]) -> str:
    return "".join(
        char
        for char in unicodedata.normalize("NFKD", match.group())
        if not unicodedata.combining(char)
    )


def expected_tokens(char: str) -> float:
    """Return the approximate number of tokens of a character."""
    return _IDEOGRAPH_TOKENS if _IDEOGRAPH.match(char) else _OTHER_TOKENS


def _joined(parts: Iterator[_Part]) -> Iterator[_Part]:
    """Join short sentences with their neighbours of the same language."""
    held, held_in = "", None
    for part, language in parts:
        full = len(held) >= _MIN_TOKENS or len(held) + 1 + len(part) > MAX_TOKENS
        if held and held_in is not None and (full or language != held_in):
            yield held, held_in
            held = ""
        held, held_in = f"{held} {part}".strip(), language
    if held and held_in is not None:
        yield held, held_in


def _pause_after(phonemes: str) -> float:
    return _PAUSE_S.get(phonemes.rstrip("\"”’')» ")[-1:], _NO_MARK_PAUSE_S)
