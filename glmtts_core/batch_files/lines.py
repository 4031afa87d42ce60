"""The values of a batch: a checked line, a line set aside, a whole read file.

Knows nothing about how a file is read or how a line is spoken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, model_validator, with_config

from glmtts_core.message import Message
from glmtts_core.speech import ReferenceAudio, SpeechOptions, SpeechOverride, SynthesisRequest
from glmtts_core.stored import STRICT, StoredMessage

InputFormat = Literal["jsonl", "csv", "tsv", "json", "txt"]


def _one_name(name: str) -> str:
    if name in ("", ".", "..") or not name.isprintable() or "/" in name or len(name) > 250:
        raise ValueError("no name of a file")
    return name


LineNumber = Annotated[int, Field(ge=1, le=2**31)]
#: One part of a path: what comes back from the disk must not lead out of the run's folder.
FileStem = Annotated[str, AfterValidator(_one_name)]


class BatchLine(SpeechOverride):
    """One checked line, ready to be spoken; what it leaves open is up to the run.

    Attributes:
        number: line number in the input file, from 1.
        uttid: its name as given, or made up ("line-0007"); unique in the file.
        file_stem: safe file name without extension, unique in the file whatever the case of its
            letters: the sound is ``f"{file_stem}.wav"``.
        text: what to say.
        prompt_text: what is said in the reference; empty leaves it to the run.
        prompt_audio: the reference's name inside the run's references folder.
        recording: SHA-256 of the recording that it is spoken with; None where there is none, or
            before the check against the recordings.
        settings: digest of what it takes from the run, where that has changed since the run began;
            None where it has not.
    """

    model_config = STRICT

    number: LineNumber
    uttid: str
    file_stem: FileStem
    text: str
    prompt_text: str = ""
    prompt_audio: str | None = None
    recording: str | None = None
    settings: str | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 over all that decides how the line sounds: not its number, not its names."""
        values = {
            name: value
            for name, value in self.to_dict().items()
            if name not in _NAMES and (value is not None or name in _HASHED_ALWAYS)
        }
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    @property
    def input_hash(self) -> str:
        """As `content_hash`, of the line as the input file has it."""
        return self.changed(settings=None).content_hash

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as they are kept on disk."""
        return self.model_dump()


#: Fields that never enter the hash.
_NAMES: Final = frozenset({"number", "uttid", "file_stem"})
#: Fields that are hashed even when None, so that hashes of older runs stay valid.
_HASHED_ALWAYS: Final = frozenset(
    {"prompt_audio", "use_history", "seed", "sample_rate_hz", "sampling", "voice", "speed"}
)


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class LineProblem:
    """Why a line is set aside.

    Attributes:
        number: line number in the input file, from 1.
        uttid: its name as far as it could be read, else empty.
        message: what is wrong, and what to do; its values are plain JSON values.
        excerpt: the beginning of the line as it stands in the file.
    """

    number: LineNumber
    uttid: str
    message: StoredMessage
    excerpt: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, those of the message beside the others."""
        message = asdict(self.message)
        return {"number": self.number, "uttid": self.uttid, **message, "excerpt": self.excerpt}

    @model_validator(mode="before")
    @classmethod
    def _from_dict(cls, values: Any) -> Any:
        """Take the message's values from beside the others."""
        if not isinstance(values, dict):
            return values
        message = {name: values.pop(name) for name in ("key", "details") if name in values}
        return {**values, "message": message}


@dataclass(frozen=True)
class BatchInput:
    """A whole read file: every line that is not empty is either a line or a problem.

    Attributes:
        lines: the good ones, in the file's order.
        problems: the ones set aside, in the file's order.
        encoding: as shown to the user ("UTF-8", "UTF-8 (BOM)", "UTF-16", "GB18030").
        format: how the file is laid out.
        hints: what would make voices better, once a recording and once a built-in voice; none
            before the check.
        separator: of a table's columns; empty where there is one column only, and elsewhere.
        notes: what was noticed about the file as a whole.
        spans: the last line of those that run over several, by the number of the first.
    """

    lines: tuple[BatchLine, ...]
    problems: tuple[LineProblem, ...]
    encoding: str
    format: InputFormat
    hints: tuple[Message, ...] = ()
    separator: str = ""
    notes: tuple[Message, ...] = ()
    spans: Mapping[int, int] = field(default_factory=dict)

    @property
    def taken_for(self) -> Message:
        """What the file was taken for."""
        if self.format in ("csv", "tsv") and not self.separator:
            return Message("batch.layout.one_column")
        return Message(f"batch.layout.{self.format}", {"separator": self.separator})

    @property
    def total(self) -> int:
        """How many lines the file holds, without the empty ones and the header."""
        return len(self.lines) + len(self.problems)

    @cached_property
    def characters(self) -> int:
        """How many characters the good lines hold in all."""
        return sum(len(line.text) for line in self.lines)


class RunDefaults(SpeechOptions):
    """What holds for every line of a run that says nothing else.

    The voice is None for an engine that only clones, or for the preferred voice of each line's
    language; the second voice is not for lines that name a voice or a recording.

    Attributes:
        reference_name: the one reference for all, by its name inside the references folder.
        reference_text: what is said in it.
    """

    model_config = STRICT

    reference_name: str | None = None
    reference_text: str = ""


def reference_name_of(line: BatchLine, defaults: RunDefaults) -> str | None:
    """Return the name of the reference that ``line`` is spoken with.

    A line that names a built-in voice and no recording of its own is spoken with that voice.
    """
    if line.prompt_audio is not None:
        return line.prompt_audio
    return None if line.voice is not None else defaults.reference_name


def transcript_of(line: BatchLine, defaults: RunDefaults) -> str:
    """Return what is said in the reference of ``line``."""
    if line.prompt_text or line.prompt_audio is not None:
        return line.prompt_text
    return defaults.reference_text


def with_settings(
    lines: Iterable[BatchLine],
    known: Iterable[BatchLine],
    before: RunDefaults,
    after: RunDefaults,
) -> tuple[BatchLine, ...]:
    """Return the lines; one whose effective settings changed gets a new ``settings`` digest.

    Args:
        lines: of the new input.
        known: of the current input.
        before: the run's old defaults.
        after: its new defaults.
    """
    marks = {line.uttid: line.settings for line in known}

    def mark(line: BatchLine) -> str | None:
        wanted = _settings_of(line, after)
        if wanted == _settings_of(line, before):
            return marks.get(line.uttid)
        return hashlib.sha256(repr(wanted).encode()).hexdigest()

    return tuple(line.changed(settings=mark(line)) for line in lines)


def _settings_of(line: BatchLine, defaults: RunDefaults) -> tuple[object, ...]:
    name = reference_name_of(line, defaults)
    request = request_of(line, defaults, None)
    if name is None:
        return (request,)
    cloned = request.changed(voice=None, second_voice=line.second_voice)
    return (cloned, name, transcript_of(line, defaults))


def request_of(
    line: BatchLine, defaults: RunDefaults, reference: ReferenceAudio | None
) -> SynthesisRequest:
    """Return what the engine is asked for.

    Args:
        reference: the recording named by `reference_name_of`, with `transcript_of` as its
            transcript; None where no recording is named.
    """
    return request_for(line.text, line, defaults, reference)


def request_for(
    text: str, override: SpeechOverride, defaults: RunDefaults, reference: ReferenceAudio | None
) -> SynthesisRequest:
    """Return what speaks a text by a run's defaults, except for what ``override`` gives."""
    options = defaults.overridden(override)
    if reference is not None:
        options = options.changed(voice=None)
    if (reference is not None or override.voice is not None) and override.second_voice is None:
        # the run's second voice belongs to the run's voice
        options = options.changed(second_voice=None)
    return SynthesisRequest(text=text, reference=reference, **options.values())
