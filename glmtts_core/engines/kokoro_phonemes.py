"""Text to phonemes for Kokoro: Mandarin through misaki, English through espeak, cut into pieces.

Knows nothing about sound; what it returns is one model run a piece.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from glmtts_core.catalogue import Language
from glmtts_core.errors import EngineError
from glmtts_core.text.normalize import normalize
from glmtts_core.text.script import HAN, Run, main_language, runs, speakable
from glmtts_core.text.split import sentences

#: Most tokens of one model run. The model takes 510; a third of it keeps a run under about five
#: seconds on two cores and the workspace small.
MAX_TOKENS: Final = 170
#: Expected tokens before a sentence is cut at a comma; the rest is for what was underestimated.
_EXPECTED_TOKENS: Final = 165.0
#: Expected tokens of an ideograph (measured: 4.0 to 4.8), of a digit (4 in a date, 7 in a long
#: Mandarin number, 11 in an English one) and of any other character (1.1 to 1.2 in English).
_IDEOGRAPH_TOKENS: Final = 4.5
_DIGIT_TOKENS: Final = 7.0
_OTHER_TOKENS: Final = 1.2
_IDEOGRAPH: Final = re.compile(f"[{HAN}]")
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
    """What one run of the model says, and the silence after it at natural speed."""

    phonemes: str
    pause_s: float


class Phonemizer:
    """The two languages' front ends; each is loaded on its own, since each takes a second."""

    def __init__(self, cache_dir: Path) -> None:
        self._cache_dir = cache_dir
        self._english: Any = None
        self._mandarin: Any = None

    def load_english(self) -> None:
        """Load espeak."""
        from kokoro_onnx.tokenizer import Tokenizer

        # it warns of every mixed sentence on standard error
        logging.getLogger("phonemizer").setLevel(logging.ERROR)
        self._english = Tokenizer()
        self._english.phonemize("ready")
        normalize("1", "en")

    def load_mandarin(self) -> None:
        """Load misaki with jieba's dictionary, whose prepared form goes into the cache folder."""
        import jieba
        from misaki.zh import ZHG2P

        jieba.setLogLevel(logging.WARNING)
        if not jieba.dt.initialized:
            jieba.dt.tmp_dir = str(self._cache_dir)
        self._mandarin = ZHG2P()
        self._mandarin("好")
        normalize("1", "zh")

    def tokens(self, phonemes: str) -> list[int]:
        """Return the model's token numbers; what is not in its vocabulary is left out."""
        found: list[int] = self._english.tokenize(phonemes, limit=None)
        return found

    def pieces(self, text: str, before_each: Callable[[], None] = lambda: None) -> list[Piece]:
        """Return what to say, piece by piece; nothing when nothing can be spoken.

        Args:
            text: as the user typed it.
            before_each: called before each sentence; what it raises goes through.

        Raises:
            EngineError: a front end failed.
        """
        clean = speakable(text)
        language = main_language(clean)
        texts = sentences(clean, _EXPECTED_TOKENS, expected_tokens)
        parts = self._fitting(texts, language, before_each)
        return [Piece(joined, _pause_after(joined)) for joined in _joined(parts)]

    def _fitting(
        self, texts: list[str], language: Language, before_each: Callable[[], None]
    ) -> Iterator[str]:
        """Yield the phonemes of each sentence, in parts that the model can take."""
        from kokoro_onnx.chunker import split_phonemes

        for text in texts:
            before_each()
            yield from split_phonemes(self._sentence(text, language), MAX_TOKENS)

    def _sentence(self, sentence: str, language: Language) -> str:
        """Return the phonemes of a sentence; empty when the model knows none of them."""
        found = runs(sentence, language)
        parts = (self._run(run, among_mandarin=len(found) > 1) for run in found)
        known = self._english.known(" ".join(part for part in parts if part))
        return " ".join(known.split()) if any(char.isalpha() for char in known) else ""

    def _run(self, run: Run, *, among_mandarin: bool) -> str:
        words = normalize(run.text, run.language).translate(_MARKS)
        try:
            if run.language == "zh":
                return str(self._mandarin(words)[0]).strip()
            phonemes = str(self._english.phonemize(words))
            return _ASPIRATED.sub(r"\1ʰ", phonemes) if among_mandarin else phonemes
        except (RuntimeError, ValueError, AssertionError) as error:
            raise EngineError("kokoro.phonemes", reason=error) from error


def expected_tokens(char: str) -> float:
    """Return about how many tokens a character of a sentence becomes."""
    if _IDEOGRAPH.match(char):
        return _IDEOGRAPH_TOKENS
    return _DIGIT_TOKENS if char.isdigit() else _OTHER_TOKENS


def _joined(parts: Iterator[str]) -> Iterator[str]:
    """Join short sentences with their neighbours."""
    held = ""
    for part in parts:
        if held and (len(held) >= _MIN_TOKENS or len(held) + 1 + len(part) > MAX_TOKENS):
            yield held
            held = ""
        held = f"{held} {part}".strip()
    if held:
        yield held


def _pause_after(phonemes: str) -> float:
    return _PAUSE_S.get(phonemes.rstrip("\"”’')» ")[-1:], _NO_MARK_PAUSE_S)
