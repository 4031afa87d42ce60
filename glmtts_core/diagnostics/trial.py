"""What one trial of the laboratory found, as its child process tells it and as it is stored."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from glmtts_core.diagnostics.experiment import Arm, Workload
from glmtts_core.diagnostics.symptoms import Symptom
from glmtts_core.stored import Seconds, StrictModel

#: Of the main line; a cleanup may have regained less than nothing.
Bytes = Annotated[int, Field(ge=-(2**62), le=2**62)]


class Part(StrEnum):
    """Which part of a trial's work a synthesis or a cleanup belongs to."""

    START = "start"
    GROWING = "growing"
    TIMED = "timed"
    BATCH = "batch"
    BEFORE_CLEANUP = "before_cleanup"
    AFTER_CLEANUP = "after_cleanup"
    LAST_CLEANUP = "last_cleanup"


class TrialOrder(StrictModel):
    """What a child process is asked to do.

    Attributes:
        settings: those of the program, without its token, and with the trial's own folder.
        engine: name of the engine.
        arm: how to work.
        workload: how much.
        reference_file: the recording whose voice is cloned, for an engine that only clones.
        reference_text: what is said in it.
    """

    settings: dict[str, Any]
    engine: str
    arm: Arm
    workload: Workload
    reference_file: Path | None = None
    reference_text: str = ""


class Loaded(StrictModel):
    """The engine is ready.

    Attributes:
        start_s: from the start of the process until the engine could speak.
        load_s: the engine's part of it.
        memory_bytes: the main line afterwards.
        line: which figure the main line is.
    """

    kind: Literal["loaded"] = "loaded"
    start_s: Seconds
    load_s: Seconds
    memory_bytes: Bytes
    line: str


class Spoken(StrictModel):
    """One synthesis, or how it failed.

    Attributes:
        part: of the trial's work.
        index: within its part, from 0.
        characters: length of the text.
        sample_rate_hz: as asked for.
        voice: as asked for; empty where a recording was cloned.
        seconds: what it took.
        error: why it failed; empty where it did not.
        out_of_memory: whether memory was what it lacked.
        before_bytes, peak_bytes, after_bytes: the main line.
        audio_s: length of the audio.
        alarms: what the examination of the audio found; None where it was not examined.
        opinion: how listeners would rate it from 1 to 5, by DNSMOS; None where it was not rated.
        file: name of the WAV file in the trial's folder; empty where none was kept.
    """

    kind: Literal["spoken"] = "spoken"
    part: Part
    index: int
    characters: Annotated[int, Field(ge=1)]
    sample_rate_hz: int
    voice: str = ""
    seconds: Seconds
    error: str = ""
    out_of_memory: bool = False
    before_bytes: Bytes = 0
    peak_bytes: Bytes = 0
    after_bytes: Bytes = 0
    audio_s: Seconds = 0.0
    alarms: tuple[Symptom, ...] | None = None
    opinion: Annotated[float, Field(ge=0, le=6)] | None = None
    file: str = ""


class Cleaned(StrictModel):
    """One cleanup."""

    kind: Literal["cleaned"] = "cleaned"
    part: Part
    seconds: Seconds
    promised_bytes: Bytes
    regained_bytes: Bytes
    before_bytes: Bytes


class Rested(StrictModel):
    """The work is done, and this is what the arm leaves behind, before the last cleanup."""

    kind: Literal["rested"] = "rested"
    memory_bytes: Bytes


class Sampled(StrictModel):
    """Stretches of the main line: seconds since the process began, and bytes."""

    kind: Literal["sampled"] = "sampled"
    points: tuple[tuple[Seconds, Bytes], ...]


class Ended(StrictModel):
    """The child has done all that it was asked."""

    kind: Literal["ended"] = "ended"


class Failed(StrictModel):
    """The child cannot go on."""

    kind: Literal["failed"] = "failed"
    reason: str


Message = Loaded | Spoken | Cleaned | Rested | Sampled | Ended | Failed
MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


class Trial(StrictModel):
    """All that one trial found.

    Attributes:
        arm_id: which arm.
        repetition: from 1.
        wall_s: how long it took, process included.
        batch_lines: how many lines its batch has, spoken or not.
        loaded: None where the engine did not get that far.
        spoken, cleaned: in order.
        rested: None where the trial ended before its work did.
        samples: the main line over time, thinned.
        failure: why it ended early; empty where it did not.
        disturbed: whether the app's own engine was loaded meanwhile.
    """

    arm_id: str
    repetition: int
    wall_s: Seconds
    batch_lines: Annotated[int, Field(ge=0)]
    loaded: Loaded | None
    spoken: tuple[Spoken, ...]
    cleaned: tuple[Cleaned, ...]
    rested: Rested | None
    samples: tuple[tuple[Seconds, Bytes], ...]
    failure: str = ""
    disturbed: bool = False

    def of_part(self, *parts: Part) -> list[Spoken]:
        """Return the syntheses of these parts."""
        return [each for each in self.spoken if each.part in parts]


#: Parts whose syntheses follow the arm's policy.
WORK = (Part.GROWING, Part.TIMED, Part.BATCH)


class Metric(StrEnum):
    """One figure of a trial; the rows of the table."""

    SECONDS = "seconds"
    SUCCESS = "success"
    PEAK = "peak"
    AFTER = "after"
    QUALITY = "quality"
    OPINION = "opinion"
    CLEANUP = "cleanup"
    NEXT = "next"
    GROWTH = "growth"

    @property
    def unit(self) -> Literal["s", "bytes", "share", "rating"]:
        """What its values are."""
        if self in (Metric.SECONDS, Metric.CLEANUP, Metric.NEXT):
            return "s"
        if self is Metric.OPINION:
            return "rating"
        return "share" if self in (Metric.SUCCESS, Metric.QUALITY) else "bytes"

    def of(self, trial: Trial) -> float | None:
        """Return the trial's figure; None where the trial has none."""
        return _FIGURES[self](trial)


def _seconds(trial: Trial) -> float | None:
    """Median seconds of the 50-character text."""
    return _median([each.seconds for each in trial.of_part(Part.TIMED) if not each.error])


def _success(trial: Trial) -> float | None:
    """Share of the batch's lines that were spoken; those that a trial's end cut off were not."""
    if not trial.batch_lines:
        return None
    return sum(not line.error for line in trial.of_part(Part.BATCH)) / trial.batch_lines


def _peak(trial: Trial) -> float | None:
    """Highest peak of the work, in bytes."""
    return max((each.peak_bytes for each in trial.of_part(*WORK)), default=None)


def _after(trial: Trial) -> float | None:
    """What the work left behind, in bytes."""
    return None if trial.rested is None else trial.rested.memory_bytes


def _quality(trial: Trial) -> float | None:
    """Share of the examined results in which no fault was found."""
    examined = [each.alarms for each in trial.of_part(*WORK) if each.alarms is not None]
    return sum(not alarms for alarms in examined) / len(examined) if examined else None


def _opinion(trial: Trial) -> float | None:
    """Median rating of the 50-character text, from 1 to 5."""
    return _median([each.opinion for each in trial.of_part(Part.TIMED) if each.opinion is not None])


def _cleanup(trial: Trial) -> float | None:
    """Median seconds of the trial's cleanups."""
    return _median([each.seconds for each in trial.cleaned])


def _next(trial: Trial) -> float | None:
    """Seconds by which the 50-character text took longer after the last cleanup than before."""
    before, after = trial.of_part(Part.BEFORE_CLEANUP), trial.of_part(Part.AFTER_CLEANUP)
    if not before or not after or before[0].error or after[0].error:
        return None
    return after[0].seconds - before[0].seconds


def _growth(trial: Trial) -> float | None:
    """Bytes by which memory before the synthesis after the growing texts is above the beginning.

    So what the arm's own cleanup gave back after the last of them counts.
    """
    growing = [each for each in trial.of_part(Part.GROWING) if not each.error]
    after = [each for each in trial.of_part(Part.TIMED) if not each.error]
    return after[0].before_bytes - growing[0].before_bytes if growing and after else None


def _median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


_FIGURES: dict[Metric, Callable[[Trial], float | None]] = {
    Metric.SECONDS: _seconds,
    Metric.SUCCESS: _success,
    Metric.PEAK: _peak,
    Metric.AFTER: _after,
    Metric.QUALITY: _quality,
    Metric.OPINION: _opinion,
    Metric.CLEANUP: _cleanup,
    Metric.NEXT: _next,
    Metric.GROWTH: _growth,
}
