"""What a batch's voices and texts will sound like that its owner may not expect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from glmtts_core.catalogue import Language
from glmtts_core.engines.capabilities import Voice
from glmtts_core.engines.voice_language import ForeignVoice, foreign_among
from glmtts_core.message import Message
from glmtts_core.text.reading import Reading

#: Numbers of lines that a sentence names; with more of them an ellipsis follows.
_SHOWN: Final = 5
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


class ReadingHints:
    """Collects such parts, and says once a part which lines they are in."""

    def __init__(self) -> None:
        self._lines: dict[str, list[int]] = {}

    def note(self, number: int, reading: Reading) -> None:
        """Remember what line ``number`` leaves out."""
        for part in reading.left_out:
            self._lines.setdefault(part, []).append(number)

    def hints(self) -> Iterator[Message]:
        """Yield the sentences."""
        for part, numbers in self._lines.items():
            yield Message("read.left_out_of_lines", {"part": part, "lines": listed(numbers)})


def listed(numbers: Sequence[int]) -> str:
    """Return "1, 4, 7", with an ellipsis where there are many."""
    return ", ".join(map(str, numbers[:_SHOWN])) + " …" * (len(numbers) > _SHOWN)
