"""Medians, quartiles, bootstrap intervals, and the conclusions they allow.

The unit is one trial (one fresh process), never one synthesis: syntheses of one process share its
memory and are not independent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np

LEVEL: Final = 0.95
#: Outcomes less probable than this by chance count as real.
SIGNIFICANT: Final = 0.05
_RESAMPLES: Final = 4000
_SEED: Final = 20
#: With fewer trials an arm, even complete separation comes about by chance more often than once in
#: twenty: 1 / C(6, 3) a side for three, 1 / C(8, 4) for four.
ENOUGH_TRIALS: Final = 4


@dataclass(frozen=True, slots=True)
class Summary:
    """One figure of one arm over its trials.

    Attributes:
        values: one a trial.
        median, lower_quartile, upper_quartile: of the values.
        interval: bootstrap interval of the median; None with a single trial.
    """

    values: tuple[float, ...]
    median: float
    lower_quartile: float
    upper_quartile: float
    interval: tuple[float, float] | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "values": list(self.values),
            "median": self.median,
            "quartiles": [self.lower_quartile, self.upper_quartile],
            "interval": None if self.interval is None else list(self.interval),
        }


class Conclusion(StrEnum):
    """What the comparison of two arms shows."""

    LOWER = "lower"
    HIGHER = "higher"
    NO_DIFFERENCE_SEEN = "no_difference_seen"
    IDENTICAL = "identical"
    TOO_FEW = "too_few"
    NOT_MEASURED = "not_measured"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of an arm compared with the base arm's.

    Attributes:
        difference: median less the base's median.
        interval: bootstrap interval of the difference; None with too few trials.
        relative: difference as a share of the base's median; None if that is 0.
    """

    conclusion: Conclusion
    difference: float | None = None
    interval: tuple[float, float] | None = None
    relative: float | None = None


def summarise(values: Iterable[float]) -> Summary | None:
    """Return the summary; None without values."""
    kept = tuple(float(value) for value in values)
    if not kept:
        return None
    lower, median, upper = np.percentile(kept, [25, 50, 75])
    return Summary(kept, float(median), float(lower), float(upper), _median_interval(kept))


def compare(values: Sequence[float], base: Sequence[float]) -> Comparison:
    """Compare an arm's figures with the base arm's.

    A difference is claimed only if the interval excludes 0 and both arms have `ENOUGH_TRIALS`.
    """
    if not values or not base:
        return Comparison(Conclusion.NOT_MEASURED)
    base_median = float(np.median(base))
    difference = float(np.median(values)) - base_median
    relative = difference / base_median if base_median else None
    if len(set(values) | set(base)) == 1 and min(len(values), len(base)) > 1:
        return Comparison(Conclusion.IDENTICAL, difference, (0.0, 0.0), relative)
    if min(len(values), len(base)) < ENOUGH_TRIALS:
        return Comparison(Conclusion.TOO_FEW, difference, None, relative)
    low, high = _difference_interval(values, base)
    if low > 0:
        conclusion = Conclusion.HIGHER
    elif high < 0:
        conclusion = Conclusion.LOWER
    else:
        conclusion = Conclusion.NO_DIFFERENCE_SEEN
    return Comparison(conclusion, difference, (low, high), relative)


def _median_interval(values: tuple[float, ...]) -> tuple[float, float] | None:
    if len(values) < 2:
        return None
    if len(set(values)) == 1:
        # nothing varies: resampling would return the same, with a warning
        return values[0], values[0]
    from scipy import stats  # heavy: only who draws conclusions pays for it

    found = stats.bootstrap(
        (values,),
        np.median,
        confidence_level=LEVEL,
        n_resamples=_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return float(found.low), float(found.high)


def _difference_interval(values: Sequence[float], base: Sequence[float]) -> tuple[float, float]:
    from scipy import stats  # heavy, as above

    def difference(first: Any, second: Any, axis: int = -1) -> Any:
        return np.median(first, axis=axis) - np.median(second, axis=axis)

    found = stats.bootstrap(
        (values, base),
        difference,
        confidence_level=LEVEL,
        n_resamples=_RESAMPLES,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return float(found.low), float(found.high)
