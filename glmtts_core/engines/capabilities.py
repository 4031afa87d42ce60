"""What an engine can do, known before it is loaded: its voices, rates and switches.

Knows nothing about files and networks.
"""

from __future__ import annotations

from dataclasses import dataclass

from glmtts_core.catalogue import Language
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.speech import ReferenceAudio, SynthesisRequest
from glmtts_core.text.reading import Reading, read_text, unread
from glmtts_core.text.script import main_language


@dataclass(frozen=True, slots=True)
class Voice:
    """One selectable voice.

    Attributes:
        id: its name in requests, files and commands.
        label_key: names its sentence in the catalogue.
        language: the one that it speaks natively; None where that is none of ours.
    """

    id: str
    label_key: str
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class SampleRate:
    """One sample rate on offer; ``resampled`` says that the network itself speaks another."""

    hz: int
    resampled: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do, known before it is loaded; the page shows its controls by this.

    Attributes:
        engine: the engine's name as shown ("Kokoro-82M", "GLM-TTS").
        device: "cpu" or "cuda:N", where it computes.
        voices: built-in voices; empty for an engine that only clones.
        voice_cloning: whether a reference recording and its text set the voice.
        sample_rates: rates on offer, the preferred one first.
        speed_range: slowest and fastest speed, or None where speed cannot be set.
        sampling_methods: names of the sampling methods, the preferred one first; empty where
            nothing is drawn at random.
        seed: whether a seed changes the result.
        history: whether sentences already spoken can serve as prompt history.
        release_levels: the cleanup levels that make a difference for this engine.
        load_bytes: memory on the device that loading takes at most; 0 where it is not worth
            making room.
        random_weights: whether it is a rehearsal: its output is noise and is not rated.
        reads_alone: whether its own front end reads the unchanged text, so that what it leaves
            out is unknown beforehand.
    """

    engine: str
    device: str
    voices: tuple[Voice, ...]
    voice_cloning: bool
    sample_rates: tuple[SampleRate, ...]
    speed_range: tuple[float, float] | None
    sampling_methods: tuple[str, ...]
    seed: bool
    history: bool
    release_levels: tuple[CleanupLevel, ...]
    load_bytes: int = 0
    random_weights: bool = False
    reads_alone: bool = False

    def voices_for(self, language: Language) -> tuple[Voice, ...]:
        """Return all voices: native ones of ``language`` first, those of neither language last."""
        ranks = {language: 0, None: 2}
        return tuple(sorted(self.voices, key=lambda voice: ranks.get(voice.language, 1)))

    def default_voice(self, text: str) -> str | None:
        """Return the preferred voice of the language of ``text``; None for one that only clones."""
        return next((voice.id for voice in self.voices_for(_language_heard(text))), None)

    def with_voice(self, request: SynthesisRequest) -> SynthesisRequest:
        """Return ``request`` with a voice, where it names none and nothing is cloned.

        It is the preferred voice of the text's language, or of the other one where the second
        voice speaks the text's language.
        """
        if self.voice_cloning or request.voice is not None or request.reference is not None:
            return request
        language = _language_heard(request.text)
        second = self.voice(request.second_voice)
        if second is not None and second.language == language:
            language = "en" if language == "zh" else "zh"
        voice = next((each.id for each in self.voices_for(language)), None)
        return request.changed(voice=voice)

    @property
    def native_languages(self) -> frozenset[Language]:
        """The languages that built-in voices speak natively."""
        return frozenset(voice.language for voice in self.voices if voice.language is not None)

    def voice(self, voice_id: str | None) -> Voice | None:
        """Return the built-in voice ``voice_id``; None where there is none such."""
        return next((voice for voice in self.voices if voice.id == voice_id), None)

    def language_of_figures(self, voice_id: str | None) -> Language:
        """Return in which language a text without words, such as 12, is read: the voice's own."""
        voice = self.voice(voice_id)
        return voice.language if voice is not None and voice.language is not None else "zh"

    def reading(self, text: str, voice_id: str | None = None) -> Reading:
        """Return how ``text`` is read before this engine, for a voice; as it is if it reads alone.

        Raises:
            ReadingError: a library gave words for a number that cannot be right.
        """
        if self.reads_alone:
            return unread(text)
        return read_text(text, self.language_of_figures(voice_id))

    def plain_request(
        self, text: str, reference: ReferenceAudio | None = None, seed: int | None = None
    ) -> SynthesisRequest:
        """Return what speaks ``text`` without further wishes: its language's voice, the first rate.

        Args:
            text: what to say.
            reference: the recording to clone.
            seed: left out where the engine draws nothing.
        """
        return SynthesisRequest(
            text=text,
            voice=self.default_voice(text),
            sample_rate_hz=self.sample_rates[0].hz,
            seed=seed if self.seed else None,
            reference=reference,
            engine=self.engine,
        )


def _language_heard(text: str) -> Language:
    """Return the main language of what is heard of ``text``: not that of tags, for instance."""
    return main_language(read_text(text).spoken)
