"""The interface between studio and speech engines.

Knows nothing about queues, sessions or pages.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from glmtts_core.audio import Samples
from glmtts_core.errors import SynthesisCancelled
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.cost import MemoryCost
from glmtts_core.message import Message
from glmtts_core.speech import SynthesisRequest

if TYPE_CHECKING:
    from glmtts_core.engines.caches import SessionCaches
    from glmtts_core.engines.capabilities import Capabilities


class Stage(StrEnum):
    """What an engine is doing; the page shows its name in the user's language."""

    LOADING = "loading"
    TEXT = "text"
    PROMPT = "prompt"
    SPEECH_TOKENS = "speech_tokens"
    MEL = "mel"
    WAVEFORM = "waveform"


@dataclass(frozen=True, slots=True)
class StageTime:
    """Seconds that one stage took in all."""

    stage: Stage
    seconds: float


@dataclass(frozen=True)
class SpokenAudio:
    """What an engine hands back.

    Attributes:
        samples: float32, shape (frames,), full scale ±1.
        sample_rate_hz: the rate asked for.
        stages: seconds by stage.
        voices: ids of the built-in voices that spoke, in the order in which they came in; none
            where a recording was cloned.
    """

    samples: Samples
    sample_rate_hz: int
    stages: tuple[StageTime, ...]
    voices: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate_hz


@dataclass(frozen=True)
class SynthesisResult:
    """What the studio makes of it.

    Attributes:
        audio: what was spoken.
        seconds: what the engine took, without waiting in the queue and loading.
        memory: what it cost in memory.
    """

    audio: SpokenAudio
    seconds: float
    memory: MemoryCost


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes:
        stage: what is being done.
        fraction: 0 to 1 of the whole job.
        piece: which sentence, from 1; 0 before the first.
        pieces: how many sentences; 0 while not known.
        tokens: how many speech tokens the sentence has so far.
        most_tokens: how many it can have at most; 0 outside that stage.
        label_key: names the network that is being loaded, in the catalogue.
    """

    stage: Stage
    fraction: float
    piece: int = 0
    pieces: int = 0
    tokens: int = 0
    most_tokens: int = 0
    label_key: str | None = None


@dataclass
class CancelToken:
    """A request to cancel: set from any thread, obeyed by the engine as soon as possible."""

    _event: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _callbacks: list[Callable[[], None]] = field(default_factory=list)

    def cancel(self) -> None:
        """Cancel; calls the functions of the active `interrupting` blocks."""
        with self._lock:
            self._event.set()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._event.is_set()

    def raise_if_cancelled(self) -> None:
        """Raise `SynthesisCancelled` after `cancel` was called."""
        if self.cancelled:
            raise SynthesisCancelled("engine.cancelled")

    @contextmanager
    def interrupting(self, stop: Callable[[], None]) -> Iterator[None]:
        """While inside, `cancel` calls ``stop`` on its own thread; at once if already cancelled."""
        with self._lock:
            self._callbacks.append(stop)
            already = self._event.is_set()
        if already:
            stop()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(stop)


class JobControl(Protocol):
    """What an engine gets from the studio for one job."""

    @property
    def cancel(self) -> CancelToken:
        """Set when the job is cancelled."""

    def report(self, progress: Progress) -> None:
        """Report progress; cheap, may be called often."""

    def safe_point(self) -> None:
        """Called between sentences and stages, without references to what a trim frees.

        Runs a pending trim (calls `Engine.release` on this thread). Raises `SynthesisCancelled` if
        the job was cancelled.
        """


class Engine(Protocol):
    """A speech engine. All methods except the properties run on the studio's worker thread."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do; needs no weights in memory."""

    @property
    def loaded(self) -> bool:
        """Whether the weights are in memory."""

    @property
    def ready(self) -> bool:
        """Whether the weights are on the device where they compute, and not offloaded."""

    @property
    def messages(self) -> tuple[Message, ...]:
        """What runs slower than it could on this machine, and why."""

    def load(self, control: JobControl) -> None:
        """Load the weights to the device where they compute; does nothing if they are there.

        Raises:
            EngineError: they cannot be loaded; nothing half-loaded stays behind.
            SynthesisCancelled: the job was cancelled.
        """

    def synthesize(
        self, request: SynthesisRequest, caches: SessionCaches, control: JobControl
    ) -> SpokenAudio:
        """Speak.

        Raises:
            RequestError, TextError, AudioError: the request cannot be fulfilled.
            EngineError: the engine failed; the next request works again.
            SynthesisCancelled: the job was cancelled.
        """

    def release(self, level: CleanupLevel) -> None:
        """Drop what ``level`` covers; the caller collects garbage and returns memory."""
