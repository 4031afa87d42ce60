"""The values in which a run shows itself: the states of a line and of a run, frozen at one moment.

Knows nothing about how a run is kept or carried on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import with_config

from glmtts_core.batch_files.lines import BatchLine
from glmtts_core.engines.base import Progress
from glmtts_core.memory.cost import MemoryCost
from glmtts_core.message import Message
from glmtts_core.stored import STRICT, Count


class LineState(StrEnum):
    """The life of a line; a line that is set aside before the run has none."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class RunState(StrEnum):
    """The life of a run.

    ``INTERRUPTED`` is what a run is whose process has ended (or is ending) in the middle of it.
    """

    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    FINISHED = "finished"


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class LineMemory:
    """What a line cost in memory, in bytes of the figure named ``line`` (see `points.Line`)."""

    line: str
    before_bytes: Count
    peak_bytes: Count
    after_bytes: Count

    @classmethod
    def of(cls, cost: MemoryCost) -> LineMemory:
        """Return the main line of ``cost``."""
        return cls(cost.line.value, cost.before_bytes, cost.peak_bytes, cost.after_bytes)


@dataclass(frozen=True, slots=True)
class LineStatus:
    """The state of a line.

    Attributes:
        state: where it is in its life.
        seconds: what speaking it took, without waiting and loading; None unless done.
        audio_s: length of its sound in seconds; None unless done.
        memory: what its last attempt cost; None before the first.
        retries: attempts after the first.
        crashes: how often the process ended while it was spoken.
        reason: why it failed.
        ended_s: when it was done or failed (Unix time); None before.
        voices: see `SpokenAudio`; none unless done.
        sha256: of the WAV file; None unless done, and for those that an earlier version made.
    """

    state: LineState = LineState.QUEUED
    seconds: float | None = None
    audio_s: float | None = None
    memory: LineMemory | None = None
    retries: int = 0
    crashes: int = 0
    reason: Message | None = None
    ended_s: float | None = None
    voices: tuple[str, ...] = ()
    sha256: str | None = None

    @property
    def rtf(self) -> float | None:
        """Real-time factor: seconds of work for a second of audio."""
        return self.seconds / self.audio_s if self.seconds is not None and self.audio_s else None


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line and its status; ``position`` counts the run's lines from 0."""

    position: int
    line: BatchLine
    status: LineStatus

    @property
    def file_name(self) -> str:
        """Name of its sound inside the run's audio folder."""
        return f"{self.line.file_stem}.wav"


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class RunCounts:
    """How many lines are in each state; those set aside before the run are in none."""

    queued: Count = 0
    running: Count = 0
    done: Count = 0
    failed: Count = 0
    skipped: Count = 0
    set_aside: Count = 0

    @property
    def total(self) -> int:
        """All lines of the file."""
        return sum(asdict(self).values())

    @property
    def tried(self) -> int:
        """Lines with an outcome."""
        return self.done + self.failed

    @property
    def success_rate(self) -> float | None:
        """Share of the tried lines that are done, 0 to 1; None before the first."""
        return self.done / self.tried if self.tried else None

    @property
    def unspoken(self) -> int:
        """Good lines without a sound."""
        return self.queued + self.running + self.failed + self.skipped


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run in the list of runs.

    Attributes:
        id: name of its folder.
        name: of the input file.
        created_at: when it was made, with time zone.
        state: where it is in its life.
        counts: lines by state.
        elsewhere: whether another process is running it.
    """

    id: str
    name: str
    created_at: datetime
    state: RunState
    counts: RunCounts
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class RunStanding:
    """How a run stands.

    Attributes:
        state: as written down: `RunState.RUNNING` where its process ended without a word.
        reason: why it paused by itself.
        counts: of its lines.
        active_s: seconds in which it was at work, up to its last end.
        unfinished_s: seconds since its last start, where no end of that is written down.
        audio_s: seconds of sound that are there.
        retries: attempts after the first.
        cleanups: how often it has cleaned up.
        regained_bytes: what that gave back.
        lost: how many lines wait again though they were spoken: their sounds are gone or damaged.
    """

    state: RunState
    reason: Message | None
    counts: RunCounts
    active_s: float
    unfinished_s: float
    audio_s: float
    retries: int
    cleanups: int
    regained_bytes: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView(RunSummary):
    """A run as it stood at one moment; cheap to make whatever the number of lines.

    Attributes:
        standing: as it is written down.
        stopping: whether it is about to pause, to be cancelled or to end with the program.
        reason: why it paused by itself, such as a full disk.
        current: the lines that are being spoken.
        progress: how far the first of them is.
        active_s: seconds in which it ran, over all its starts.
        eta_s: seconds until the last line, by the pace since the last start; None before the first
            line, and while the run is not active.
        lines_per_min: pace since the last start in this process; None before the first line.
        audio_per_s: seconds of sound made in a second, likewise.
        cleanup_reason: why the last cleanup failed, if it did.
    """

    standing: RunStanding
    stopping: bool = False
    reason: Message | None = None
    current: tuple[LineRow, ...] = ()
    progress: Progress | None = None
    active_s: float = 0.0
    eta_s: float | None = None
    lines_per_min: float | None = None
    audio_per_s: float | None = None
    cleanup_reason: Message | None = None
