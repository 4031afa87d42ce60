"""How a text will be spoken, before it is: words, phonemes, and what is left out.

Loads the front ends, a second for each language; loads no voice.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glmtts_core.catalogue import Language
from glmtts_core.engines.kokoro.phonemes import Phonemizer, SpokenRun
from glmtts_core.text.reading import read_text


@dataclass(frozen=True, slots=True)
class Heard:
    """How a text will be spoken.

    Attributes:
        text: as it was typed.
        spoken: the words in order, with the marks between them; empty where nothing is spoken.
        pieces: the words by language, with their phonemes.
        left_out: what will not be spoken, as it was typed.
    """

    text: str
    spoken: str
    pieces: tuple[SpokenRun, ...]
    left_out: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON; only Mandarin pieces have pinyin."""
        return {
            "text": self.text,
            "spoken": self.spoken,
            "pieces": [_piece(piece) for piece in self.pieces],
            "left_out": list(self.left_out),
        }


class Reader:
    """Shows how texts will be spoken; thread-safe.

    Args:
        cache_dir: folder for the prepared form of a dictionary.
    """

    def __init__(self, cache_dir: Path) -> None:
        self._phonemizer = Phonemizer(cache_dir)
        self._lock = threading.Lock()

    def read(self, text: str, default: Language = "zh") -> Heard:
        """Return how ``text`` will be spoken.

        Args:
            text: as the user typed it.
            default: language of figures where the text has no words.

        Raises:
            EngineError: a front end failed.
            ReadingError: a library returned nothing for a part of the text, or nonsense.
        """
        reading = read_text(text, default)
        with self._lock:
            pieces = tuple(self._phonemizer.spoken_runs(reading, default))
        return Heard(text, reading.spoken, pieces, reading.left_out)

    def close(self) -> None:
        """Nothing is open."""


def _piece(piece: SpokenRun) -> dict[str, Any]:
    found: dict[str, Any] = {
        "language": piece.language,
        "spoken": piece.spoken,
        "phonemes": piece.phonemes,
    }
    return found | ({"pinyin": list(piece.pinyin)} if piece.language == "zh" else {})
