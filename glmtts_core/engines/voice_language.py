"""Whether a voice speaks the language of a text natively, and which one would.

Knows only an engine's list of voices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from glmtts_core.catalogue import Language
from glmtts_core.engines.capabilities import Capabilities, Voice
from glmtts_core.message import Message
from glmtts_core.speech import SynthesisRequest
from glmtts_core.text.reading import read_text
from glmtts_core.text.script import main_language

#: The sentence by the language of the text and that of the voice.
_SENTENCES: Final[dict[tuple[Language, Language | None], str]] = {
    ("zh", "en"): "voice_language.mandarin_in_english_voice",
    ("en", "zh"): "voice_language.english_in_mandarin_voice",
    ("zh", None): "voice_language.mandarin_in_japanese_voice",
    ("en", None): "voice_language.english_in_japanese_voice",
}


@dataclass(frozen=True, slots=True)
class ForeignVoice:
    """A text whose language the chosen voice does not speak natively.

    Attributes:
        key: the sentence in the catalogue.
        language: of the text.
        native: the preferred voice of that language.
    """

    key: str
    language: Language
    native: Voice

    def message(self, native_name: str) -> Message:
        """Return the sentence; ``native_name`` is how `native` is called where it is shown."""
        return Message(self.key, {"native": native_name})


def foreign_voice(request: SynthesisRequest, capabilities: Capabilities) -> ForeignVoice | None:
    """Return the hint about the voice of ``request``; None where it suits or no better one exists.

    A request without a voice always suits: see `Capabilities.with_voice`.
    """
    if request.reference is not None or request.voice is None:
        return None
    spoken_by = (request.voice, request.second_voice)
    return foreign_among(request.text, spoken_by, capabilities.voices)


def foreign_among(
    text: str, spoken_by: Sequence[str | None], voices: Sequence[Voice]
) -> ForeignVoice | None:
    """Return the hint about the voices that speak ``text``; None where one of them suits.

    Mixed text is Mandarin with English in it: an English voice alone is foreign to it.

    Args:
        text: what is spoken.
        spoken_by: ids of voices, the main one first; other ids than built-in voices are ignored.
        voices: the built-in voices, the preferred one of a language before its others.
    """
    known = {voice.id: voice for voice in voices}
    speaking = [known[voice] for voice in spoken_by if voice in known]
    language = _language_of(text)
    native = next((voice for voice in voices if voice.language == language), None)
    if not speaking or language is None or native is None:
        return None
    if any(voice.language == language for voice in speaking):
        return None
    return ForeignVoice(_SENTENCES[language, speaking[0].language], language, native)


def _language_of(text: str) -> Language | None:
    """Return the main language of ``text``; None where it has neither ideographs nor letters."""
    if main_language(text, "zh") != main_language(text, "en"):
        return None
    # what is left out, such as a tag, is of no language
    return main_language(read_text(text).spoken)
