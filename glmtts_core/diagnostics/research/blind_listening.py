"""A blind listening test: pairs of sounds of one text in random order, sealed until the end."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from glmtts_core.diagnostics.research.listening import Judgement, Listening, Preference
from glmtts_core.errors import DiagnosticsError


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files of the same text, in the order in which they are played."""

    text: str
    first: Path
    second: Path


class BlindTest:
    """Gives pairs to play and takes judgements; gives no result before the last one.

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
        """How many pairs are judged."""
        return len(self._judgements)

    @property
    def finished(self) -> bool:
        """Whether every pair is judged."""
        return self.judged == self.count

    @property
    def pair(self) -> Pair | None:
        """The next pair to judge; None at the end."""
        return None if self.finished else self._pairs[self.judged]

    def judge(
        self, preference: Preference, ratings: tuple[int | None, int | None] = (None, None)
    ) -> None:
        """Take the judgement of the current pair.

        Raises:
            DiagnosticsError: every pair is judged already.
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
            DiagnosticsError: some pairs are not judged yet.
        """
        if not self.finished:
            raise DiagnosticsError("listening.sealed", left=self.count - self.judged)
        return Listening(
            arm=self._arms[0], other_arm=self._arms[1], judgements=tuple(self._judgements)
        )


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.wav")}
