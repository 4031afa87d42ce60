"""Blind listening: two results of one text in random order, sealed until the last is judged."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, TypeAdapter
from scipy import stats

from glmtts_core.errors import DiagnosticsError
from glmtts_core.stored import StrictModel, read_stored, value_from, write_stored

LISTENING_FILE: Final = "listening.json"
RATINGS: Final = (1, 2, 3, 4, 5)
Rating = Annotated[int, Field(ge=RATINGS[0], le=RATINGS[-1])]


class Preference(StrEnum):
    """What a listener says of a pair: the names stand for the order heard, not for the arms."""

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
class Pair:
    """Two files of the same text, in the order in which they are played."""

    text: str
    first: Path
    second: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the listener's judgements say.

    Attributes:
        arm, other_arm: the two arms.
        preferred, other_preferred: how often each was preferred.
        same: how often neither was; left out of the test.
        p_value: of the exact two-sided sign test, chance against preference; None where every
            pair was judged the same.
        mean_rating, other_mean_rating: None where nothing was rated.
    """

    arm: str
    other_arm: str
    preferred: int
    other_preferred: int
    same: int
    p_value: float | None
    mean_rating: float | None
    other_mean_rating: float | None


class BlindTest:
    """Plays pairs, takes judgements, and tells nothing before the last one.

    Args:
        folder: holds a folder of WAV files for each arm.
        arm, other_arm: names of two of these.
        texts: the text of each file name without its ending.
        seed: of the random order.

    Raises:
        DiagnosticsError: the two arms have no file in common.
    """

    def __init__(
        self, folder: Path, arm: str, other_arm: str, texts: dict[str, str], seed: int
    ) -> None:
        self._arms = (arm, other_arm)
        draw = random.Random(seed)
        names = sorted(_names(folder / arm) & _names(folder / other_arm))
        if arm == other_arm or not names:
            raise DiagnosticsError("listening.no_pairs")
        draw.shuffle(names)
        self._order: list[tuple[str, str]] = []
        self._pairs: list[Pair] = []
        for name in names:
            first, second = draw.sample(self._arms, 2)
            self._order.append((first, second))
            text = texts.get(Path(name).stem, "")
            self._pairs.append(Pair(text, folder / first / name, folder / second / name))
        self._judgements: list[Judgement] = []

    @property
    def count(self) -> int:
        """How many pairs there are."""
        return len(self._pairs)

    @property
    def judged(self) -> int:
        """How many are judged."""
        return len(self._judgements)

    @property
    def finished(self) -> bool:
        """Whether the seal is off."""
        return self.judged == self.count

    @property
    def pair(self) -> Pair | None:
        """The pair to be judged next; None at the end."""
        return None if self.finished else self._pairs[self.judged]

    def judge(
        self, preference: Preference, ratings: tuple[int | None, int | None] = (None, None)
    ) -> None:
        """Take the judgement of the present pair.

        Raises:
            DiagnosticsError: every pair is judged.
        """
        pair = self.pair
        if pair is None:
            raise DiagnosticsError("listening.finished")
        first, second = self._order[self.judged]
        self._judgements.append(
            Judgement(
                text=pair.text,
                first_arm=first,
                second_arm=second,
                preference=preference,
                first_rating=ratings[0],
                second_rating=ratings[1],
            )
        )

    def result(self) -> Listening:
        """Return the judgements.

        Raises:
            DiagnosticsError: still sealed.
        """
        if not self.finished:
            raise DiagnosticsError("listening.sealed", left=self.count - self.judged)
        return Listening(
            arm=self._arms[0], other_arm=self._arms[1], judgements=tuple(self._judgements)
        )


def outcome(listening: Listening) -> Outcome:
    """Return what the judgements say, with the exact sign test."""
    votes = [_preferred(each) for each in listening.judgements]
    mine, other = votes.count(listening.arm), votes.count(listening.other_arm)
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
    """Read what `save` wrote; None where no test was finished.

    Raises:
        StorageError: it cannot be read.
    """
    path = folder / LISTENING_FILE
    if not path.exists():
        return None
    return value_from(read_stored(path), _LISTENING, path)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.wav")}


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
