"""One experiment from its first trial to its last: what it has found, and how far it is."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from glmtts_core.diagnostics.experiment import Arm
from glmtts_core.diagnostics.experiment_folders import AUDIO_FOLDER
from glmtts_core.diagnostics.findings import Findings
from glmtts_core.diagnostics.trial import Spoken
from glmtts_core.diagnostics.trial_runner import TrialRunner
from glmtts_core.engines.base import CancelToken


@dataclass(frozen=True, slots=True)
class ExperimentProgress:
    """How far an experiment is.

    Attributes:
        done: trials that have ended.
        trials: all trials.
        arm: the arm of the running trial; None between trials.
        spoken: syntheses of the running trial so far.
    """

    done: int = 0
    trials: int = 0
    arm: Arm | None = None
    spoken: int = 0


class ExperimentRun:
    """Runs the trials of one experiment.

    Args:
        runner: runs a trial.
        findings: what has been asked, without trials yet.
        folder: where sounds are kept.
        estimated_s: how long the experiment takes; used until its first trial has ended.
        save: receives the findings at the start and after each trial.
    """

    def __init__(
        self,
        runner: TrialRunner,
        findings: Findings,
        folder: Path,
        estimated_s: float,
        save: Callable[[Findings], None],
    ) -> None:
        self._runner = runner
        self._findings = findings
        self.folder = folder
        self._estimated_s = estimated_s
        self._save = save
        self._trials = findings.experiment.trials()
        self._started_s = time.monotonic()
        self._lock = threading.Lock()
        self._progress = ExperimentProgress(trials=len(self._trials))

    @property
    def progress(self) -> ExperimentProgress:
        """How far the experiment is."""
        with self._lock:
            return self._progress

    def remaining_s(self) -> float:
        """Return about how long the rest takes."""
        elapsed_s = time.monotonic() - self._started_s
        finished = self._findings.trials
        if not finished:
            return max(0.0, self._estimated_s - elapsed_s)
        one_s = statistics.fmean(trial.wall_s for trial in finished)
        into_trial_s = elapsed_s - sum(trial.wall_s for trial in finished)
        return max(0.0, one_s * (len(self._trials) - len(finished)) - max(0.0, into_trial_s))

    def run(self, cancel: CancelToken) -> None:
        """Run all trials, one after the other.

        Raises:
            SynthesisCancelled: it was cancelled; the finished trials are saved.
            GLMTTSError: the findings cannot be saved, or a trial's sounds not be examined.
        """
        self._save(self._findings)
        for number, (arm, repetition) in enumerate(self._trials, start=1):
            cancel.raise_if_cancelled()
            self._update(arm=arm, spoken=0)
            audio_folder = self.folder / AUDIO_FOLDER / arm.id
            trial = self._runner.run(arm, repetition, audio_folder, cancel, self._count)
            trials = (*self._findings.trials, trial)
            complete = number == len(self._trials)
            self._findings = self._findings.model_copy(
                update={"trials": trials, "complete": complete}
            )
            self._save(self._findings)
            self._update(done=number, arm=None)

    def _count(self, _: Spoken) -> None:
        self._update(spoken=self.progress.spoken + 1)

    def _update(self, **changes: Any) -> None:
        with self._lock:
            self._progress = replace(self._progress, **changes)
