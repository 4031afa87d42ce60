"""The results of one trial, as findings store them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from glmtts_core.diagnostics.symptoms import Symptom
from glmtts_core.stored import Seconds, StrictModel

#: Of the main line; a cleanup may have regained less than nothing.
Bytes = Annotated[int, Field(ge=-(2**62), le=2**62)]


class TrialPart(StrEnum):
    """Which part of a trial's work a synthesis or a cleanup belongs to."""

    START = "start"
    GROWING = "growing"
    TIMED = "timed"
    BATCH = "batch"
    BEFORE_CLEANUP = "before_cleanup"
    AFTER_CLEANUP = "after_cleanup"
    LAST_CLEANUP = "last_cleanup"


class Loaded(StrictModel):
    """The engine is ready.

    Attributes:
        start_s: from the start of the engine's process until it could speak.
        load_s: how long one had to wait for it.
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
        voice: as asked for; empty if a recording was cloned.
        seconds: how long it took.
        error: why it failed; empty if it did not.
        out_of_memory: whether it failed for lack of memory.
        before_bytes, peak_bytes, after_bytes: the main line.
        audio_s: length of the audio.
        alarms: the faults found in the audio; None if it was not examined.
        opinion: the rating from 1 to 5 that DNSMOS predicts; None if it was not rated.
        file: name of the WAV file in the trial's folder; empty if none was kept.
    """

    kind: Literal["spoken"] = "spoken"
    part: TrialPart
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
    part: TrialPart
    seconds: Seconds
    promised_bytes: Bytes
    regained_bytes: Bytes
    before_bytes: Bytes


class Rested(StrictModel):
    """The memory in use when the work is done, before the last cleanup."""

    kind: Literal["rested"] = "rested"
    memory_bytes: Bytes


class Trial(StrictModel):
    """The results of one trial.

    Attributes:
        arm_id: which arm.
        repetition: from 1.
        wall_s: how long it took, process included.
        batch_lines: how many lines its batch has, spoken or not.
        loaded: None if the engine could not be loaded.
        spoken, cleaned: in order.
        rested: None if the trial ended before its work.
        samples: the main line over time, thinned.
        failure: why it ended early; empty if it did not.
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

    def of_part(self, *parts: TrialPart) -> list[Spoken]:
        """Return the syntheses of these parts."""
        return [each for each in self.spoken if each.part in parts]

    def succeeded(self, *parts: TrialPart) -> list[Spoken]:
        """Return the syntheses of these parts that did not fail."""
        return [each for each in self.of_part(*parts) if not each.error]


#: Parts whose syntheses follow the arm's policy.
WORK = (TrialPart.GROWING, TrialPart.TIMED, TrialPart.BATCH)
