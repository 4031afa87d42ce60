"""How to speak, said once: the options, an override of some of them, and a request for an engine.

A form, a line of a batch, its defaults, a command and an experiment take the options' names and
bounds from here, and their words from ``messages/speech.toml``. What an engine offers of them is
its `Capabilities`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, ValidationError
from pydantic_core import CoreSchema, core_schema

from glmtts_core.errors import RequestError
from glmtts_core.message import Message
from glmtts_core.quoting import quoted

if TYPE_CHECKING:
    from glmtts_core.audio import Samples  # heavy, and the command line's --help needs none

#: Seeds lie below this: what an unsigned 32-bit number holds.
SEEDS: Final = 2**32

Name = Annotated[str, Field(max_length=200)]
Seed = Annotated[int, Field(ge=0, lt=SEEDS)]
SampleRate = Annotated[int, Field(gt=0, le=384_000)]
Speed = Annotated[float, Field(gt=0, le=100)]


class SpeechOverride(BaseModel):
    """Some options of speech; None leaves an option to what lies below.

    Attributes:
        voice: id of a built-in voice; None also where a recording is cloned.
        second_voice: id of the voice that speaks the parts in its own language; None has `voice`
            speak everything.
        speed: 1.0 is natural.
        sample_rate_hz: of the sound.
        seed: the same one gives the same sound; None draws a fresh one.
        sampling: one of the engine's sampling methods; None takes its preferred one.
        history: speak on from the sentences that were spoken before.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        loc_by_alias=False,
    )

    voice: Name | None = None
    second_voice: Name | None = None
    speed: Speed | None = None
    sample_rate_hz: SampleRate | None = None
    seed: Seed | None = None
    sampling: Name | None = None
    # kept files have this name
    history: bool | None = Field(default=None, alias="use_history")

    def changed(self, **values: object) -> Self:
        """Return a copy with other values, which are not checked."""
        return self.model_copy(update=values)

    def given(self) -> dict[str, Any]:
        """Return the options of speech that are not left open."""
        options = {name: getattr(self, name) for name in OPTION_NAMES}
        return {name: value for name, value in options.items() if value is not None}


#: The options' names; each has its label, help and more in the catalogue, as ``speech.NAME``.
OPTION_NAMES: Final = tuple(SpeechOverride.model_fields)


class SpeechOptions(SpeechOverride):
    """All options of speech, and the engine that speaks; None takes the preferred one."""

    speed: Speed = 1.0
    sample_rate_hz: SampleRate = 24_000
    history: bool = Field(default=False, alias="use_history")
    engine: Name | None = None

    def values(self) -> dict[str, Any]:
        """Return the options and the engine by name, to make something that has more of."""
        return {name: getattr(self, name) for name in SpeechOptions.model_fields}

    def overridden(self, override: SpeechOverride) -> Self:
        """Return the options with those that ``override`` does not leave open."""
        return self.changed(**override.given())


@dataclass(frozen=True)
class ReferenceAudio:
    """The recording whose voice is to be cloned, and what is said in it.

    Attributes:
        samples: float32, shape (frames,) or (frames, channels), full scale ±1.
        sample_rate_hz: its own rate.
        name: the file's name, for messages.
        transcript: what is said in it.
    """

    samples: Samples
    sample_rate_hz: int
    name: str
    transcript: str = ""

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over samples and rate: the key under which prompts are cached."""
        digest = hashlib.sha256(str((self.sample_rate_hz, self.samples.shape)).encode())
        digest.update(self.samples.tobytes())
        return digest.hexdigest()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        """Have models take a recording as it is."""
        return core_schema.is_instance_schema(cls)


class SynthesisRequest(SpeechOptions):
    """One text to speak, and how. What an engine cannot do it refuses.

    Attributes:
        text: what to say; checked by `check_request`.
        reference: the recording to clone.
    """

    text: Annotated[str, SkipValidation]
    reference: ReferenceAudio | None = None


OptionsT = TypeVar("OptionsT", bound=SpeechOptions)


def checked(kind: type[OptionsT], values: Mapping[str, object]) -> OptionsT:
    """Return the options that ``values`` give by name.

    Raises:
        RequestError: a value that no engine could take.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        wrong = wrong_value(str(first["loc"][0]), quoted(first["input"]))
        raise RequestError(wrong.key, **wrong.details) from error


def wrong_value(option: str, given: str) -> Message:
    """Return what to say of a value that an option cannot have."""
    details: dict[str, object] = {"given": given}
    if option == "seed":
        details["highest"] = SEEDS - 1
    return Message(f"speech.{option}.wrong", details)


def new_seed() -> int:
    """Return a seed that every engine takes."""
    return secrets.randbelow(SEEDS)
