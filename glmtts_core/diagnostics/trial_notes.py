"""Takes down what a trial measures, while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from glmtts_core.diagnostics.trial import Cleaned, Loaded, Rested, Spoken, Trial

#: Points of a trial's memory curve that are kept.
_POINTS: Final = 400


@dataclass(slots=True)
class TrialNotes:
    """What a trial has measured so far; see `Trial`.

    Attributes:
        on_spoken: receives each synthesis as it ends.
        points: the main line's curve: seconds since the trial began, and bytes.
    """

    on_spoken: Callable[[Spoken], None]
    loaded: Loaded | None = None
    rested: Rested | None = None
    spoken: list[Spoken] = field(default_factory=list)
    cleaned: list[Cleaned] = field(default_factory=list)
    points: list[tuple[float, int]] = field(default_factory=list)

    def speak(self, spoken: Spoken) -> None:
        """Take down a synthesis."""
        self.spoken.append(spoken)
        self.on_spoken(spoken)

    def sample(self, points: Iterable[tuple[float, int]]) -> None:
        """Take down a part of the curve."""
        self.points.extend(points)

    def trial(
        self,
        arm_id: str,
        repetition: int,
        *,
        wall_s: float,
        batch_lines: int,
        failure: str,
        disturbed: bool,
    ) -> Trial:
        """Return all of it as a trial's results, complete or not."""
        return Trial(
            arm_id=arm_id,
            repetition=repetition,
            wall_s=wall_s,
            batch_lines=batch_lines,
            loaded=self.loaded,
            spoken=tuple(self.spoken),
            cleaned=tuple(self.cleaned),
            rested=self.rested,
            samples=_thinned(self.points),
            failure=failure,
            disturbed=disturbed,
        )


def _thinned(points: Sequence[tuple[float, int]]) -> tuple[tuple[float, int], ...]:
    """Return at most `_POINTS` points: of each group the highest, so that no peak is lost."""
    step = -(-len(points) // _POINTS) or 1
    groups = [points[start : start + step] for start in range(0, len(points), step)]
    return tuple(max(group, key=lambda point: point[1]) for group in groups)
