"""Runs an experiment's trials: each in a fresh process, its sounds examined afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from glmtts_core.diagnostics.experiment import Arm, Experiment
from glmtts_core.diagnostics.experiment_folders import keep_audio
from glmtts_core.diagnostics.process import TrialProcess
from glmtts_core.diagnostics.trial import Spoken, Trial, TrialOrder
from glmtts_core.diagnostics.trial_quality import examined
from glmtts_core.engines.base import CancelToken
from glmtts_core.files import scratch_folder
from glmtts_core.memory.monitor import EventKind
from glmtts_core.studio.studio import Studio

#: Results that a trial's process keeps: more than any workload speaks.
_RESULTS_KEPT: Final = 500


class TrialRunner:
    """Runs the trials of one experiment, one at a time.

    Args:
        studio: whose settings hold in the trials' processes too.
        command: starts a trial's process.
        experiment: whose trials are run.
        reference: the recording to clone; None for an engine with voices of its own.
        transcript: what is said in the recording.
    """

    def __init__(
        self,
        studio: Studio,
        command: Sequence[str],
        experiment: Experiment,
        reference: Path | None,
        transcript: str,
    ) -> None:
        self._studio = studio
        self._command = command
        self._experiment = experiment
        self._reference = None if reference is None else reference.absolute()
        self._transcript = transcript
        # asked now: a rehearsal may be switched off while its experiment runs
        capabilities = studio.engines.find(experiment.engine).capabilities
        self._random_weights = capabilities.random_weights

    def run(
        self,
        arm: Arm,
        repetition: int,
        audio_folder: Path,
        cancel: CancelToken,
        on_spoken: Callable[[Spoken], None],
    ) -> Trial:
        """Run one trial and return what it found, however far it got.

        Args:
            arm: what the trial does.
            repetition: from 1.
            audio_folder: where the sounds of an arm's first trial are kept.
            cancel: ends the trial's process at once.
            on_spoken: receives each synthesis as it ends.

        Raises:
            SynthesisCancelled: it was cancelled.
            GLMTTSError: what it has spoken cannot be examined.
        """
        with scratch_folder() as scratch:
            process = TrialProcess(self._command, self._order(arm, scratch), repetition, on_spoken)
            with cancel.interrupting(process.stop):
                trial = self._undisturbed(process)
            cancel.raise_if_cancelled()
            # random weights speak noise, whose faults mean nothing
            if not self._random_weights:
                trial = examined(trial, scratch)
            keep_audio(trial, scratch, audio_folder)
        return trial

    def _undisturbed(self, process: TrialProcess) -> Trial:
        """Run the process, and note whether the app's own engine was in memory meanwhile."""
        started_s = time.monotonic()
        loaded_before = self._studio.engines.any_loaded
        trial = process.run()
        events = self._studio.monitor.events(time.monotonic() - started_s)
        loaded_meanwhile = any(event.kind is EventKind.LOAD for event in events)
        return trial.model_copy(update={"disturbed": loaded_before or loaded_meanwhile})

    def _order(self, arm: Arm, scratch: Path) -> TrialOrder:
        return TrialOrder(
            settings=self._settings_for(scratch),
            engine=self._experiment.engine,
            arm=arm,
            workload=self._experiment.workload,
            reference_file=self._reference,
            reference_text=self._transcript,
        )

    def _settings_for(self, scratch: Path) -> dict[str, Any]:
        settings = self._studio.settings.model_dump(mode="json", exclude={"api_token"})
        ours = {
            "rehearsal": self._studio.settings.rehearsal or self._random_weights,
            "output_dir": str(scratch),
            "history_max_results": _RESULTS_KEPT,
        }
        return settings | ours
