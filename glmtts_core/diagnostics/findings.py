"""What an experiment has found: its table, its conclusions, and how it is kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter

from glmtts_core.diagnostics.experiment import Arm, Experiment
from glmtts_core.diagnostics.statistics import Comparison, Summary, compare, figures, summarise
from glmtts_core.diagnostics.trial import Metric, Trial
from glmtts_core.errors import StorageError
from glmtts_core.files import write_whole
from glmtts_core.stored import Moment, read_stored, value_from

FINDINGS_FILE: Final = "findings.json"


class Findings(BaseModel):
    """An experiment with its trials.

    Attributes:
        experiment: what was asked.
        began_at: with time zone.
        machine: name and value of what the figures depend on.
        device: where the engine computed.
        trials: in the order in which they ran.
        complete: whether every trial was run.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    experiment: Experiment
    began_at: Moment
    machine: dict[str, str]
    device: str
    trials: tuple[Trial, ...]
    complete: bool

    @property
    def usable(self) -> tuple[Trial, ...]:
        """The trials whose engine was loaded; the others say nothing of their arm."""
        return tuple(trial for trial in self.trials if trial.loaded is not None)

    def figures(self, arm: Arm, metric: Metric) -> list[float]:
        """Return one figure a trial."""
        return figures(self.usable, arm.id, metric)

    def of_arm(self, arm: Arm) -> list[Trial]:
        """Return the arm's usable trials."""
        return [trial for trial in self.usable if trial.arm_id == arm.id]

    def pace(self, engine: str) -> tuple[float, float] | None:
        """Return seconds a character and seconds to start; None where nothing tells of the engine.

        Args:
            engine: name of the engine that is asked about.
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
    """One figure of one arm, and how it stands to the base's; None for the base itself."""

    arm: Arm
    metric: Metric
    summary: Summary | None
    against_base: Comparison | None


def table(findings: Findings) -> list[Cell]:
    """Return every metric of every arm; each arm is compared with its own base."""
    arms = findings.experiment.arms
    return [_cell(findings, arm, base_of(arm, arms), metric) for metric in Metric for arm in arms]


def base_of(arm: Arm, arms: Sequence[Arm]) -> Arm | None:
    """Return the arm to compare with: the first whose settings and limit are the same.

    So that a policy under scarcity is held against no cleanup under the same scarcity. Where there
    is none of the kind, the first arm of all; None for an arm that is a base itself.
    """
    for other in arms:
        if other.setting == arm.setting:
            if other != arm:
                return other
            break
    return arms[0] if arm != arms[0] and arm.setting != arms[0].setting else None


def _cell(findings: Findings, arm: Arm, base: Arm | None, metric: Metric) -> Cell:
    values = findings.figures(arm, metric)
    against = None if base is None else compare(values, findings.figures(base, metric))
    return Cell(arm, metric, summarise(values), against)


_FINDINGS: Final = TypeAdapter(Findings)


def save(findings: Findings, folder: Path) -> None:
    """Write the findings into ``folder``.

    Raises:
        StorageError: the folder cannot be written.
    """
    try:
        write_whole(folder / FINDINGS_FILE, findings.model_dump_json().encode())
    except OSError as error:
        raise StorageError(
            "storage.write", folder=folder, reason=error.strerror or error
        ) from error


def load(folder: Path) -> Findings:
    """Read what `save` wrote.

    Raises:
        StorageError: it is not there, or cannot be read.
    """
    path = folder / FINDINGS_FILE
    return value_from(read_stored(path), _FINDINGS, path)
