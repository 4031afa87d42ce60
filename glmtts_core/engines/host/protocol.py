"""What an engine's process is told, and what it tells: the messages of the connection.

Sound travels beside a message as raw float32, whose shapes the message names.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from glmtts_core.engines.base import Progress, StageTime
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.engines.host.foreign_errors import PlainError, PlainMessage
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import LedgerEntry, LedgerKind
from glmtts_core.stored import Count, StrictModel

Shape = tuple[Count, ...]


# -- to the engine's process ---------------------------------------------------------------------


class Open(StrictModel):
    """Make the engine; the first message.

    Attributes:
        factory, device, on_cpu: the engine's order.
        settings: those of the program, without its token.
        figures_hz: how often the allocator's figures are sent.
    """

    kind: Literal["open"] = "open"
    factory: str
    device: str | None
    on_cpu: PlainMessage | None
    settings: dict[str, Any]
    figures_hz: float


class Load(StrictModel):
    """Bring the weights to where they compute."""

    kind: Literal["load"] = "load"
    job: int


class Recording(StrictModel):
    """A reference recording without its samples, which come beside the message."""

    sample_rate_hz: int
    name: str
    transcript: str


class Synthesize(StrictModel):
    """Speak.

    Attributes:
        job: what a cancellation names.
        owner: the session whose caches are used.
        request: the request without its recording.
        recording: the recording to clone.
        shapes: of its samples; empty without one.
    """

    kind: Literal["synthesize"] = "synthesize"
    job: int
    owner: str
    request: dict[str, Any]
    recording: Recording | None
    shapes: tuple[Shape, ...] = ()


class Release(StrictModel):
    """Drop what a cleanup of this level covers."""

    kind: Literal["release"] = "release"
    level: CleanupLevel


class DropCaches(StrictModel):
    """Drop what is kept for these sessions."""

    kind: Literal["drop_caches"] = "drop_caches"
    owners: tuple[str, ...]


class GiveBack(StrictModel):
    """Collect garbage and return unused memory to driver and system."""

    kind: Literal["give_back"] = "give_back"


class LimitMemory(StrictModel):
    """Let no more memory be taken than so much above what is held now."""

    kind: Literal["limit_memory"] = "limit_memory"
    headroom_bytes: Count


class GoOn(StrictModel):
    """Leave the safe point."""

    kind: Literal["go_on"] = "go_on"


class Cancel(StrictModel):
    """Cancel a job, at once: not behind what is being done."""

    kind: Literal["cancel"] = "cancel"
    job: int


class Question(StrEnum):
    """What can be asked at any time, whatever is being done meanwhile; see `answers`."""

    ALIVE = "alive"
    RESET_PEAK = "reset_peak"
    PEAK = "peak"
    HEAP = "heap"
    CENSUS = "census"
    PICTURE = "picture"
    RECORD = "record"
    STOP_RECORDING = "stop_recording"
    SNAPSHOT = "snapshot"

    @property
    def slow(self) -> bool:
        """Whether other questions and commands must not wait for the answer."""
        return self in (Question.CENSUS, Question.SNAPSHOT)


class Ask(StrictModel):
    """Answer a question at once, beside what is being done.

    Attributes:
        number: what the answer names.
        question: what is asked.
        argument: for `Question.SNAPSHOT`, the file to write.
    """

    kind: Literal["ask"] = "ask"
    number: int
    question: Question
    argument: str = ""


Command = (
    Open | Load | Synthesize | Release | DropCaches | GiveBack | LimitMemory | GoOn | Cancel | Ask
)
COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="kind")])


# -- from the engine's process -------------------------------------------------------------------


class EngineFacts(StrictModel):
    """What the engine says of itself after each command."""

    loaded: bool
    ready: bool
    capabilities: Capabilities
    messages: tuple[PlainMessage, ...]


class Reported(StrictModel):
    """Progress."""

    kind: Literal["reported"] = "reported"
    progress: Progress


class AtSafePoint(StrictModel):
    """The engine waits for `GoOn`, and meanwhile does what else it is told."""

    kind: Literal["at_safe_point"] = "at_safe_point"


class Recorded(StrictModel):
    """The engine's ledger has a new or changed entry."""

    kind: Literal["recorded"] = "recorded"
    entry: LedgerEntry


class Forgotten(StrictModel):
    """The engine's ledger has lost an entry."""

    kind: Literal["forgotten"] = "forgotten"
    of: LedgerKind
    owner: str
    name: str


class Figures(StrictModel):
    """The allocator's figures have changed; see `AllocatorReading`.

    Attributes:
        uuid: of the device; None before there is a CUDA context.
        context: whether there is a CUDA context.
    """

    kind: Literal["figures"] = "figures"
    allocated_bytes: int | None
    reserved_bytes: int | None
    reclaimable_bytes: int | None
    uuid: str | None
    context: bool = False


class Done(StrictModel):
    """A command has been carried out."""

    kind: Literal["done"] = "done"
    facts: EngineFacts


class Spoken(StrictModel):
    """A synthesis has been carried out; its samples come beside the message."""

    kind: Literal["spoken"] = "spoken"
    facts: EngineFacts
    sample_rate_hz: int
    stages: tuple[StageTime, ...]
    voices: tuple[str, ...]
    shapes: tuple[Shape, ...]


class Failed(StrictModel):
    """A command has failed.

    Attributes:
        error: why.
        facts: None where there is no engine.
        spoilt: whether nothing more can be done in this process.
    """

    kind: Literal["failed"] = "failed"
    error: PlainError
    facts: EngineFacts | None
    spoilt: bool = False


class Answered(StrictModel):
    """The answer to a question."""

    kind: Literal["answered"] = "answered"
    number: int
    value: Any


Event = Reported | AtSafePoint | Recorded | Forgotten | Figures | Done | Spoken | Failed | Answered
EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
