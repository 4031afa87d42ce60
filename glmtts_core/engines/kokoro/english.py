"""English phonemes by espeak, in the model's alphabet.

Brings no network runtime: the pages' process shows how a text will be heard with this too.
"""

from __future__ import annotations

import json
import logging
import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from glmtts_core.errors import ModelFileError

_LANGUAGE: Final = "en-us"
#: The package whose data file has the model's alphabet; importing it would bring ONNX Runtime.
_ALPHABET_PACKAGE: Final = "kokoro_onnx"
#: espeak keeps its state for the whole process.
_lock: Final = threading.Lock()


class EnglishReader:
    """Reads English words; thread-safe. Making one loads espeak.

    Raises:
        ModelFileError: the package with the model's alphabet is missing.
    """

    def __init__(self) -> None:
        import espeakng_loader
        from phonemizer.backend.espeak.wrapper import EspeakWrapper

        # it warns of every mixed sentence on standard error
        logging.getLogger("phonemizer").setLevel(logging.ERROR)
        self._numbers = _alphabet()
        with _lock:
            EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
            EspeakWrapper.set_library(espeakng_loader.get_library_path())
        self.phonemes("ready")

    def phonemes(self, text: str) -> str:
        """Return how ``text`` is spoken, its marks kept, in the model's alphabet.

        Raises:
            RuntimeError, ValueError, AssertionError: espeak failed.
        """
        from phonemizer import phonemize

        with _lock:
            spoken = phonemize(text.strip(), _LANGUAGE, preserve_punctuation=True, with_stress=True)
        return self.known(str(spoken)).strip()

    def known(self, phonemes: str) -> str:
        """Return the phonemes that the model knows."""
        return "".join(char for char in phonemes if char in self._numbers)

    def tokens(self, phonemes: str) -> list[int]:
        """Return the model's token numbers; phonemes that it does not know are left out."""
        return [self._numbers[char] for char in phonemes if char in self._numbers]


@cache
def _alphabet() -> dict[str, int]:
    """Return the model's token number of each phoneme."""
    spec = find_spec(_ALPHABET_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelFileError("kokoro.wheel_missing", package=_ALPHABET_PACKAGE)
    file = Path(spec.origin).with_name("config.json")
    alphabet: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))["vocab"]
    return alphabet
