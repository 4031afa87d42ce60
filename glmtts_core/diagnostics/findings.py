"""The findings of an experiment: its trials, the table over them, and how they are stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from glmtts_core.diagnostics.experiment import Arm, Experiment
from glmtts_core.diagnostics.metrics import Metric
from glmtts_core.diagnostics.statistics import Comparison, Summary, compare, summarise
from glmtts_core.diagnostics.trial import Trial
from glmtts_core.stored import Moment, StrictModel, read_stored, value_from, write_stored

FINDINGS_FILE: Final = "findings.json"


class Findings(StrictModel):
    """An experiment with its trials.

    Attributes:
        experiment: what was asked.
        began_at: with time zone.
        machine: name and value of what the figures depend on.
        device: where the engine computed.
        trials: in the order in which they ran.
        complete: whether every trial was run.
    """

    experiment: Experiment
    began_at: Moment
    machine: dict[str, str]
    device: str
    trials: tuple[Trial, ...]
    complete: bool

    @property
    def usable(self) -> tuple[Trial, ...]:
        """The trials whose engine was loaded; the others measured nothing."""
        return tuple(trial for trial in self.trials if trial.loaded is not None)

    def of_arm(self, arm: Arm | None) -> list[Trial]:
        """Return the arm's usable trials; none if the experiment has no such arm."""
        return [trial for trial in self.usable if arm is not None and trial.arm_id == arm.id]

    def figures(self, arm: Arm | None, figure: Callable[[Trial], float | None]) -> list[float]:
        """Return one figure of each of the arm's usable trials, without those that lack it."""
        found = [figure(trial) for trial in self.of_arm(arm)]
        return [value for value in found if value is not None]

    def pace(self, engine: str) -> tuple[float, float] | None:
        """Return seconds a character and seconds to start; None if this is another engine's pace.

        Args:
            engine: name of the engine whose pace is wanted.
        """
        spoken = [each for trial in self.usable for each in trial.spoken if not each.error]
        if self.experiment.engine != engine or not spoken:
            return None
        spoken_s = sum(each.seconds for each in spoken)
        per_character = spoken_s / sum(each.characters for each in spoken)
        rest_s = max(0.0, sum(trial.wall_s for trial in self.usable) - spoken_s) / len(self.usable)
        return per_character, rest_s


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of one arm, and its comparison with the base arm's; None for the base itself."""

    arm: Arm
    metric: Metric
    summary: Summary | None
    against_base: Comparison | None


def table(findings: Findings) -> list[Cell]:
    """Return every metric of every arm; each arm is compared with its own base."""
    arms = findings.experiment.arms
    return [_cell(findings, arm, base_of(arm, arms), metric) for metric in Metric for arm in arms]


def base_of(arm: Arm, arms: Sequence[Arm]) -> Arm | None:
    """Return the arm to compare with: the first one with the same settings and memory limit.

    So a policy under a memory limit is compared with no cleanup under the same limit. If there is
    no such arm, it is the first arm of all; None for an arm that is a base itself.
    """
    for other in arms:
        if other.setting == arm.setting:
            if other != arm:
                return other
            break
    return arms[0] if arm != arms[0] and arm.setting != arms[0].setting else None


def _cell(findings: Findings, arm: Arm, base: Arm | None, metric: Metric) -> Cell:
    values = findings.figures(arm, metric.of)
    against = None if base is None else compare(values, findings.figures(base, metric.of))
    return Cell(arm, metric, summarise(values), against)


_FINDINGS: Final = TypeAdapter(Findings)


def save(findings: Findings, folder: Path) -> None:
    """Write the findings into ``folder``.

    Raises:
        StorageError: the folder cannot be written.
    """
    write_stored(folder / FINDINGS_FILE, findings)


def load(folder: Path) -> Findings:
    """Read what `save` wrote.

    Raises:
        StorageError: it is not there, or cannot be read.
    """
    path = folder / FINDINGS_FILE
    return value_from(read_stored(path), _FINDINGS, path)
