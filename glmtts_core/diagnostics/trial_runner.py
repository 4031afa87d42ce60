"""Runs an experiment's trials: each in a fresh process, its sounds examined afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from glmtts_core.audio import decode
from glmtts_core.diagnostics.examining import Examine
from glmtts_core.diagnostics.experiment import Arm, Experiment
from glmtts_core.diagnostics.experiment_folders import keep_audio
from glmtts_core.diagnostics.trial import Spoken, Trial
from glmtts_core.diagnostics.trial_notes import TrialNotes
from glmtts_core.diagnostics.trial_work import TrialOrder, TrialWork
from glmtts_core.engines.available import EngineFactory
from glmtts_core.engines.base import CancelToken
from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.errors import GLMTTSError
from glmtts_core.files import scratch_folder
from glmtts_core.memory.monitor import EventKind
from glmtts_core.settings import Settings
from glmtts_core.speech import ReferenceAudio
from glmtts_core.studio.studio import Studio

#: Results that a trial keeps: more than any workload speaks.
_RESULTS_KEPT: Final = 500
#: Opens a studio for a trial alone: with which settings and which engine.
OpenTrial = Callable[[Settings, EngineFactory], Studio]


def open_in_own_process(settings: Settings, factory: EngineFactory) -> Studio:
    """Open a trial's studio: its engine's process, and nothing else, is measured."""
    return Studio(settings, factory, host=ProcessHost, own_memory=False, rescue=False)


class TrialRunner:
    """Runs the trials of one experiment, one at a time.

    Args:
        studio: whose settings and engine the trials have too.
        open_trial: opens a trial's studio.
        examine: examines a trial's sounds.
        experiment: whose trials are run.
        reference: the recording to clone; None for an engine with voices of its own.
        transcript: what is said in the recording.
    """

    def __init__(
        self,
        studio: Studio,
        open_trial: OpenTrial,
        examine: Examine,
        experiment: Experiment,
        reference: Path | None,
        transcript: str,
    ) -> None:
        self._studio = studio
        self._open = open_trial
        self._examine = examine
        self._experiment = experiment
        self._reference = reference
        self._transcript = transcript
        # asked now: a rehearsal may be switched off while its experiment runs
        engine = studio.engines.find(experiment.engine)
        self._factory = studio.engines.factory_of(engine)
        self._random_weights = engine.capabilities.random_weights

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
            cancel: ends the engine's process, or that of the examination, at once.
            on_spoken: receives each synthesis as it ends.

        Raises:
            SynthesisCancelled: it was cancelled.
            GLMTTSError: what it has spoken cannot be examined.
        """
        with scratch_folder() as scratch:
            notes, started_s = TrialNotes(on_spoken), time.monotonic()
            loaded_before = self._studio.engines.any_loaded
            failure = self._work(arm, notes, scratch, cancel)
            cancel.raise_if_cancelled()
            wall_s = time.monotonic() - started_s
            trial = notes.trial(
                arm.id,
                repetition,
                wall_s=wall_s,
                batch_lines=self._experiment.workload.batch,
                failure=failure,
                disturbed=loaded_before or self._loaded_within(wall_s),
            )
            trial = self._examined(trial, scratch, cancel)
            keep_audio(trial, scratch, audio_folder)
        return trial

    def _work(self, arm: Arm, notes: TrialNotes, scratch: Path, cancel: CancelToken) -> str:
        """Do a trial's work; return why it ended early, or nothing."""
        try:
            order = TrialOrder(
                self._experiment.engine, arm, self._experiment.workload, self._recording()
            )
            with (
                closing(self._open(self._settings_for(scratch), self._factory)) as studio,
                cancel.interrupting(lambda: studio.engines.close(idle=False)),
            ):
                TrialWork(studio, order, notes, cancel).run()
        except (GLMTTSError, OSError) as error:
            return str(error)
        return ""

    def _examined(self, trial: Trial, scratch: Path, cancel: CancelToken) -> Trial:
        # random weights speak noise, whose faults mean nothing
        return trial if self._random_weights else self._examine(trial, scratch, cancel)

    def _loaded_within(self, seconds: float) -> bool:
        """Whether the app has loaded an engine of its own meanwhile."""
        events = self._studio.monitor.events(seconds)
        return any(event.kind is EventKind.LOAD for event in events)

    def _settings_for(self, scratch: Path) -> Settings:
        changes = {"output_dir": scratch, "history_max_results": _RESULTS_KEPT}
        return self._studio.settings.model_copy(update=changes)

    def _recording(self) -> ReferenceAudio | None:
        file = self._reference
        if file is None:
            return None
        audio = decode(file.read_bytes(), file.name)
        return ReferenceAudio(audio.samples, audio.sample_rate_hz, file.name, self._transcript)
