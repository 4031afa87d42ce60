"""The judgements of a blind listening test, how they are stored, and what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from glmtts_core.diagnostics.statistics import SIGNIFICANT
from glmtts_core.stored import StrictModel, read_stored, value_from, write_stored

LISTENING_FILE: Final = "listening.json"
RATINGS: Final = (1, 2, 3, 4, 5)
Rating = Annotated[int, Field(ge=RATINGS[0], le=RATINGS[-1])]


class Preference(StrEnum):
    """Which sound of a pair a listener prefers; FIRST and SECOND name the order of playing."""

    FIRST = "first"
    SECOND = "second"
    SAME = "same"


class Judgement(StrictModel):
    """One pair as it was judged; ratings from 1 (bad) to 5 (excellent), if given."""

    text: str
    first_arm: str
    second_arm: str
    preference: Preference
    first_rating: Rating | None = None
    second_rating: Rating | None = None


class Listening(StrictModel):
    """A finished test."""

    arm: str
    other_arm: str
    judgements: tuple[Judgement, ...]


_LISTENING: Final = TypeAdapter(Listening)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a test.

    Attributes:
        arm, other_arm: the two arms.
        preferred, other_preferred: how often each was preferred.
        same: how often neither was; the sign test leaves these out.
        p_value: of the exact two-sided sign test; None if every pair was judged the same.
        mean_rating, other_mean_rating: None if nothing was rated.
    """

    arm: str
    other_arm: str
    preferred: int
    other_preferred: int
    same: int
    p_value: float | None
    mean_rating: float | None
    other_mean_rating: float | None

    @property
    def significant(self) -> bool:
        """Whether chance alone would rarely bring about such a preference."""
        return self.p_value is not None and self.p_value < SIGNIFICANT


def outcome(listening: Listening) -> Outcome:
    """Return the result of a test, with the exact sign test."""
    votes = [_preferred(each) for each in listening.judgements]
    mine, other = votes.count(listening.arm), votes.count(listening.other_arm)
    from scipy import stats  # heavy: only who counts the votes pays for it

    test = stats.binomtest(mine, mine + other, 0.5) if mine + other else None
    return Outcome(
        arm=listening.arm,
        other_arm=listening.other_arm,
        preferred=mine,
        other_preferred=other,
        same=votes.count(None),
        p_value=None if test is None else float(test.pvalue),
        mean_rating=_mean_rating(listening.judgements, listening.arm),
        other_mean_rating=_mean_rating(listening.judgements, listening.other_arm),
    )


def save(listening: Listening, folder: Path) -> None:
    """Write the finished test beside its experiment's findings.

    Raises:
        StorageError: the folder cannot be written.
    """
    write_stored(folder / LISTENING_FILE, listening)


def load(folder: Path) -> Listening | None:
    """Read what `save` wrote; None if no test was finished.

    Raises:
        StorageError: it cannot be read.
    """
    path = folder / LISTENING_FILE
    if not path.exists():
        return None
    return value_from(read_stored(path), _LISTENING, path)


def _preferred(judgement: Judgement) -> str | None:
    match judgement.preference:
        case Preference.FIRST:
            return judgement.first_arm
        case Preference.SECOND:
            return judgement.second_arm
        case Preference.SAME:
            return None


def _mean_rating(judgements: Sequence[Judgement], arm: str) -> float | None:
    ratings = [each.first_rating for each in judgements if each.first_arm == arm]
    ratings += [each.second_rating for each in judgements if each.second_arm == arm]
    given = [rating for rating in ratings if rating is not None]
    return sum(given) / len(given) if given else None
