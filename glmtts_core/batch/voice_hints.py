"""Which lines of a batch a built-in voice reads in a language that is not its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from glmtts_core.batch.line_numbers import listed
from glmtts_core.catalogue import Language
from glmtts_core.engines.capabilities import Voice
from glmtts_core.engines.voice_language import ForeignVoice, foreign_among
from glmtts_core.message import Message

_SENTENCES: Final[dict[Language, str]] = {
    "zh": "voice_language.mandarin_lines",
    "en": "voice_language.english_lines",
}


class VoiceHints:
    """Collects such lines, and says once a voice and language which ones they are.

    Args:
        voices: the built-in voices.
    """

    def __init__(self, voices: Sequence[Voice]) -> None:
        self._voices = voices
        self._lines: dict[tuple[str, ForeignVoice], list[int]] = {}

    def note(self, number: int, text: str, spoken_by: Sequence[str | None]) -> None:
        """Remember line ``number`` where none of the voices that speak it is native to ``text``."""
        found = foreign_among(text, spoken_by, self._voices)
        if found is not None:
            names = " + ".join(voice for voice in spoken_by if voice is not None)
            self._lines.setdefault((names, found), []).append(number)

    def hints(self) -> Iterator[Message]:
        """Yield the sentences."""
        for (names, found), numbers in self._lines.items():
            details = {"voice": names, "native": found.native.id, "lines": listed(numbers)}
            yield Message(_SENTENCES[found.language], details)
