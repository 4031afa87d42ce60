"""The figures of a trial: the rows of the laboratory's table."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from enum import StrEnum
from typing import Literal

from glmtts_core.diagnostics.trial import WORK, Trial, TrialPart


class Metric(StrEnum):
    """One figure of a trial."""

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
    return _median([each.seconds for each in trial.succeeded(TrialPart.TIMED)])


def _success(trial: Trial) -> float | None:
    """Share of the batch's lines that were spoken; a trial that ends early has not spoken all."""
    if not trial.batch_lines:
        return None
    return len(trial.succeeded(TrialPart.BATCH)) / trial.batch_lines


def _peak(trial: Trial) -> float | None:
    """Highest peak of the work, in bytes."""
    return max((each.peak_bytes for each in trial.of_part(*WORK)), default=None)


def _after(trial: Trial) -> float | None:
    """Memory after the work, in bytes."""
    return None if trial.rested is None else trial.rested.memory_bytes


def _quality(trial: Trial) -> float | None:
    """Share of the examined results in which no fault was found."""
    examined = [each.alarms for each in trial.of_part(*WORK) if each.alarms is not None]
    return sum(not alarms for alarms in examined) / len(examined) if examined else None


def _opinion(trial: Trial) -> float | None:
    """Median rating of the 50-character text, from 1 to 5."""
    return _median(
        [each.opinion for each in trial.of_part(TrialPart.TIMED) if each.opinion is not None]
    )


def _cleanup(trial: Trial) -> float | None:
    """Median seconds of the trial's cleanups."""
    return _median([each.seconds for each in trial.cleaned])


def _next(trial: Trial) -> float | None:
    """Seconds by which the 50-character text took longer after the last cleanup than before."""
    before = trial.succeeded(TrialPart.BEFORE_CLEANUP)
    after = trial.succeeded(TrialPart.AFTER_CLEANUP)
    return after[0].seconds - before[0].seconds if before and after else None


def _growth(trial: Trial) -> float | None:
    """Bytes by which memory has grown over the growing texts.

    Measured before the next synthesis, so that a cleanup after the last of them counts.
    """
    growing = trial.succeeded(TrialPart.GROWING)
    after = trial.succeeded(TrialPart.TIMED)
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
