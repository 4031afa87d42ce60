"""What is remembered of one synthesis, beside its audio."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, field_validator

from glmtts_core.memory.cost import MemoryCost
from glmtts_core.message import Message
from glmtts_core.speech import Name, SampleRate, Seed, Speed
from glmtts_core.stored import STRICT, Moment

_Seconds = Annotated[float, Field(ge=0, le=10**9)]


class ResultRecord(BaseModel):
    """What is remembered of one synthesis, beside its audio.

    Attributes:
        number: 1 for the session's first result; never used twice.
        text: what was spoken.
        engine: name of the engine.
        voice: id of the voice, or the reference recording's name.
        sample_rate_hz: of the stored audio.
        speed: as asked for.
        spoken_at: when it was finished, with time zone.
        seconds: what the synthesis took, without waiting and loading.
        audio_s: length of the audio in seconds.
        seed: that it was spoken with; None where nothing is drawn at random.
        rehearsed: whether random weights have spoken: it is noise, and not judged.
        memory: what it cost, as `MemoryCost.to_dict` gives it.
        second_voice: id of the voice that spoke the parts in its own language; None where `voice`
            spoke everything.
        unsaved_reason: why it could not be written to disk, and what to do; empty for what is on
            disk.
    """

    model_config = STRICT | {"frozen": True}

    number: Annotated[int, Field(ge=1, le=10**9)]
    text: str
    engine: str
    voice: str
    sample_rate_hz: SampleRate
    speed: Speed
    spoken_at: Moment
    seconds: _Seconds
    audio_s: _Seconds
    memory: dict[str, Any]
    seed: Seed | None = None
    rehearsed: bool = False
    second_voice: Name | None = None
    unsaved_reason: str | Message = ""

    @field_validator("memory")
    @classmethod
    def _is_a_cost(cls, memory: dict[str, Any]) -> dict[str, Any]:
        try:
            MemoryCost.from_dict(memory)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no memory cost: {error!r}") from error
        return memory

    @property
    def rtf(self) -> float:
        """Real-time factor: seconds of work for a second of audio."""
        return self.seconds / self.audio_s if self.audio_s else float("inf")

    @property
    def memory_cost(self) -> MemoryCost:
        """What the synthesis cost in memory."""
        return MemoryCost.from_dict(self.memory)

    @property
    def file_name(self) -> str:
        """Name under which the audio is offered for download."""
        return f"glm-tts-{self.number:04d}.wav"
