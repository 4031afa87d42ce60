"""Whether memory grows from synthesis to synthesis: the slope with its interval, and a verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from glmtts_core.byte_units import MIB
from glmtts_core.catalogue import Language, text

#: Less growth per synthesis is ignored: a hundred syntheses would make 100 MiB.
LIMIT_BYTES: Final = MIB
#: Least growth at the start for "it has settled"; less is the usual fluctuation of the heap.
SETTLED_BYTES: Final = 4 * MIB
#: With fewer syntheses the interval is too wide for a verdict.
MIN_SYNTHESES: Final = 8
#: The later half consists of at least so many syntheses.
_MIN_LATE: Final = 6
CONFIDENCE: Final = 0.95


class Trend(StrEnum):
    """What memory does from synthesis to synthesis."""

    GROWS = "grows"
    SETTLES = "settles"
    STEADY = "steady"
    UNCERTAIN = "uncertain"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Slope:
    """Bytes per synthesis, and the 95 % interval around them."""

    bytes: float
    low_bytes: float
    high_bytes: float


@dataclass(frozen=True, slots=True)
class Growth:
    """The verdict over a series of syntheses.

    Attributes:
        trend: the verdict.
        syntheses: how many were looked at.
        grown_bytes: from the first to the last.
        late: slope over the later half, on which the verdict rests; None for too few.
    """

    trend: Trend
    syntheses: int
    grown_bytes: int
    late: Slope | None

    def text(self, language: Language) -> str:
        """Return the verdict in one sentence."""
        if self.late is None:
            return text("growth.too_few", language, count=self.syntheses, least=MIN_SYNTHESES)
        return text(
            f"growth.{self.trend}",
            language,
            count=self.syntheses,
            grown=f"{self.grown_bytes / MIB:.1f}",
            slope=f"{self.late.bytes / MIB:.2f}",
            low=f"{self.late.low_bytes / MIB:.2f}",
            high=f"{self.late.high_bytes / MIB:.2f}",
        )


def growth(after_bytes: Sequence[int]) -> Growth:
    """Judge the memory in use after each of a series of syntheses, oldest first.

    The slope is that of Theil and Sen: the median of the slopes between all pairs, with the
    interval of Sen (1968). One outlier, such as a cleanup of another session, does not move it. The
    verdict rests on the later half: growth at the start only is warming up.
    """
    count = len(after_bytes)
    grown = after_bytes[-1] - after_bytes[0] if count else 0
    if count < MIN_SYNTHESES:
        return Growth(Trend.TOO_FEW, count, grown, None)
    late = _slope(after_bytes[-max(_MIN_LATE, count // 2) :])
    return Growth(_trend(late, grown), count, grown, late)


def _trend(late: Slope, grown_bytes: int) -> Trend:
    if late.bytes >= LIMIT_BYTES and late.low_bytes > 0:
        return Trend.GROWS
    if late.high_bytes >= LIMIT_BYTES:
        return Trend.UNCERTAIN
    return Trend.SETTLES if grown_bytes >= SETTLED_BYTES else Trend.STEADY


def _slope(after_bytes: Sequence[int]) -> Slope:
    values = np.asarray(after_bytes, np.float64)
    count = len(values)
    earlier, later = np.triu_indices(count, 1)
    slopes = np.sort((values[later] - values[earlier]) / (later - earlier))
    # the normal approximation of Kendall's score, whose variance shrinks where values are alike
    alike = np.unique(values, return_counts=True)[1]
    variance = (_score_variance(np.array([count])) - _score_variance(alike)) / 18
    spread = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(variance)
    low = max(round((len(slopes) - spread) / 2) - 1, 0)
    high = min(round((len(slopes) + spread) / 2), len(slopes) - 1)
    return Slope(float(np.median(slopes)), float(slopes[low]), float(slopes[high]))


def _score_variance(counts: npt.NDArray[np.intp]) -> int:
    """Return 18 times the variance of the score of groups of values, summed up."""
    return int(np.sum(counts * (counts - 1) * (2 * counts + 5)))
