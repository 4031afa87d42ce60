"""Does memory grow from synthesis to synthesis: the slope with its interval, and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scipy import stats

from glmtts_core.catalogue import Language, text

MIB: Final = 2**20
#: Growth per synthesis below this is not worth a word: a hundred syntheses would make 100 MiB.
LIMIT_BYTES: Final = MIB
#: What a process must have grown by at the start for "it has settled": the heap's own breathing.
SETTLED_BYTES: Final = 4 * MIB
#: Fewer syntheses have no interval that could exclude anything.
MIN_SYNTHESES: Final = 8
#: Of the later half, at least so many are looked at.
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
    """The verdict over a row of syntheses.

    Attributes:
        trend: the verdict.
        syntheses: how many were looked at.
        grown_bytes: from the first to the last.
        whole: slope over all of them; None for too few.
        late: slope over the later half, on which the verdict rests; None for too few.
    """

    trend: Trend
    syntheses: int
    grown_bytes: int
    whole: Slope | None
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
    """Judge the memory in use after each of a row of syntheses, oldest first.

    The slope is that of Theil and Sen: the median of the slopes between all pairs, with the
    interval of Sen (1968). One outlier, such as a cleanup of another session, does not move it. The
    verdict rests on the later half: memory that grows only at first has merely been warming up.
    """
    count = len(after_bytes)
    grown = after_bytes[-1] - after_bytes[0] if count else 0
    if count < MIN_SYNTHESES:
        return Growth(Trend.TOO_FEW, count, grown, None, None)
    whole = _slope(after_bytes)
    late = _slope(after_bytes[-max(_MIN_LATE, count // 2) :])
    return Growth(_trend(late, grown), count, grown, whole, late)


def _trend(late: Slope, grown_bytes: int) -> Trend:
    if late.bytes >= LIMIT_BYTES and late.low_bytes > 0:
        return Trend.GROWS
    if late.high_bytes >= LIMIT_BYTES:
        return Trend.UNCERTAIN
    return Trend.SETTLES if grown_bytes >= SETTLED_BYTES else Trend.STEADY


def _slope(after_bytes: Sequence[int]) -> Slope:
    fit = stats.theilslopes(after_bytes, alpha=CONFIDENCE)
    return Slope(float(fit.slope), float(fit.low_slope), float(fit.high_slope))
