"""The before/after laboratory: runs one experiment at a time in the background, keeps all.

A service of the studio. Knows nothing about pages.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from glmtts_core.diagnostics.examining import Examine, examined_in_own_process
from glmtts_core.diagnostics.experiment import Experiment
from glmtts_core.diagnostics.experiment_folders import clear_old_experiments, experiments
from glmtts_core.diagnostics.experiment_run import ExperimentProgress, ExperimentRun
from glmtts_core.diagnostics.findings import Findings, load, save
from glmtts_core.diagnostics.noted import noted
from glmtts_core.diagnostics.trial_runner import OpenTrial, TrialRunner, open_in_own_process
from glmtts_core.engines.base import CancelToken
from glmtts_core.errors import (
    BusyError,
    DiagnosticsError,
    GLMTTSError,
    StorageError,
    SynthesisCancelled,
)
from glmtts_core.memory.cleanup import CleanupLevel, CleanupReport
from glmtts_core.sessions.events import AskedBy, ExperimentKind
from glmtts_core.studio.background import BackgroundTask, TaskView
from glmtts_core.studio.studio import Studio
from glmtts_core.studio.worker import WorkerTask

#: Until something was measured here: what the built-in voice takes on two cores.
GUESSED_SECONDS_PER_CHARACTER: Final = 0.15
GUESSED_SECONDS_TO_START: Final = 6.0
#: Seconds to wait for the app's own engine to be unloaded: its running job comes first.
_UNLOAD_S: Final = 300.0
#: Seconds that closing waits for the experiment; an engine's process is gone at once.
_CLOSE_S: Final = 5.0
_log = logging.getLogger(__name__)


class LaboratoryState(StrEnum):
    """What the laboratory is doing, or how its newest experiment has ended."""

    IDLE = "idle"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LaboratoryView:
    """The laboratory at one moment.

    Attributes:
        state: what it is doing.
        progress: of the newest experiment since the program's start.
        remaining_s: about how long the running experiment still takes; None without one.
        error: why the newest experiment failed, for `FAILED`.
    """

    state: LaboratoryState
    progress: ExperimentProgress
    remaining_s: float | None = None
    error: GLMTTSError | None = None


class Laboratory:
    """Runs one experiment at a time. Thread-safe.

    Args:
        studio: its engine makes room; its settings and its engine are the trials' too.
        open_trial: opens a trial's studio.
        examine: examines a trial's sounds.
    """

    def __init__(
        self,
        studio: Studio,
        open_trial: OpenTrial = open_in_own_process,
        examine: Examine = examined_in_own_process,
    ) -> None:
        self._studio = studio
        self._open_trial, self._examine = open_trial, examine
        self._root = studio.settings.output_dir / "laboratory"
        self._lock = threading.Lock()
        self._task: BackgroundTask[None] = BackgroundTask("laboratory", "laboratory.failed")
        self._run: ExperimentRun | None = None
        self._folder = next(reversed(self.folders()), None)
        self._findings: Findings | None = None

    # -- what was found --------------------------------------------------------------------------

    @property
    def folder(self) -> Path | None:
        """Where the newest experiment is kept; None before the first."""
        return self._folder

    def folders(self) -> list[Path]:
        """Return where all experiments are kept, the newest last."""
        return experiments(self._root)

    def findings(self) -> Findings | None:
        """Return what the newest experiment has found so far; None before the first.

        Raises:
            StorageError: it cannot be read.
        """
        with self._lock:
            if self._findings is None and self._folder is not None:
                self._findings = load(self._folder)
            return self._findings

    def estimate_s(self, experiment: Experiment) -> tuple[float, bool]:
        """Return about how long it takes, and whether this comes from what was measured here."""
        try:
            before = self.findings()
        except StorageError as error:
            # the page shows this with the findings; a new experiment does not need them
            _log.warning("%s", error)
            before = None
        pace = None if before is None else before.pace(experiment.engine)
        guess = (GUESSED_SECONDS_PER_CHARACTER, GUESSED_SECONDS_TO_START)
        return experiment.seconds(*(pace or guess)), pace is not None

    # -- the running experiment ------------------------------------------------------------------

    def start(self, experiment: Experiment, session_id: str, machine: dict[str, str]) -> None:
        """Unload the app's engine and begin.

        Args:
            experiment: what to do.
            session_id: of the caller; only jobs of other sessions prevent the start.
            machine: what the figures depend on, to be kept with them.

        Raises:
            BusyError: an experiment is running, or others' jobs run or wait.
            RequestError: no engine has this name.
            DiagnosticsError: the engine only clones, and the session has no recording.
        """
        run = self._prepare(experiment, session_id, machine)
        with self._lock:
            if self._task.running:
                raise BusyError("laboratory.busy")
            unloading = self._studio.cleanup(
                CleanupLevel.UNLOAD, session_id, asked_by=AskedBy.EXPERIMENT
            )

            def work(cancel: CancelToken, _: Callable[[float], None]) -> None:
                with noted(self._studio, ExperimentKind.LABORATORY, experiment.engine, run.folder):
                    _wait_until_unloaded(unloading)
                    run.run(cancel)

            self._run = run
            self._task.start(work)

    def view(self) -> LaboratoryView:
        """Return how far the newest experiment is, or how it has ended."""
        with self._lock:
            run, task = self._run, self._task.view()
        if run is None:
            return LaboratoryView(LaboratoryState.IDLE, ExperimentProgress())
        state = _state(task)
        remaining_s = run.remaining_s() if state is LaboratoryState.RUNNING else None
        error = task.error if state is LaboratoryState.FAILED else None
        return LaboratoryView(state, run.progress, remaining_s, error)

    def cancel(self) -> None:
        """End the running experiment; what its finished trials found stays."""
        self._task.cancel()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the experiment has ended; False when ``timeout_s`` ran out first."""
        return self._task.wait(timeout_s)

    def close(self) -> None:
        """Cancel, and wait for the experiment's end."""
        self._task.close(_CLOSE_S)

    def _prepare(
        self, experiment: Experiment, session_id: str, machine: dict[str, str]
    ) -> ExperimentRun:
        capabilities = self._studio.engines.find(experiment.engine).capabilities
        saved_form = self._studio.sessions.entry(session_id).saved_form
        reference = None if capabilities.voices else saved_form.reference_file
        if reference is None and not capabilities.voices:
            raise DiagnosticsError("laboratory.no_reference", engine=experiment.engine)
        transcript = saved_form.form.reference_transcript or ""
        findings = Findings(
            experiment=experiment,
            began_at=datetime.now().astimezone(),
            machine=machine,
            device=capabilities.device,
            trials=(),
            complete=False,
        )
        folder = self._root / f"{findings.began_at:%Y%m%d-%H%M%S-%f}"
        return ExperimentRun(
            TrialRunner(
                self._studio, self._open_trial, self._examine, experiment, reference, transcript
            ),
            findings,
            folder,
            self.estimate_s(experiment)[0],
            lambda found: self._save(found, folder),
        )

    def _save(self, findings: Findings, folder: Path) -> None:
        save(findings, folder)
        with self._lock:
            self._findings, self._folder = findings, folder
        clear_old_experiments(self._root, self._studio.settings.history_max_age_days)


def open_laboratory(studio: Studio) -> Laboratory:
    """Return the studio's laboratory.

    Raises:
        SynthesisCancelled: the program is closing.
    """
    return studio.services.get(Laboratory, lambda: Laboratory(studio))


def _state(task: TaskView[None]) -> LaboratoryState:
    if task.running:
        return LaboratoryState.RUNNING
    if task.error is None:
        return LaboratoryState.DONE
    if isinstance(task.error, SynthesisCancelled):
        return LaboratoryState.CANCELLED
    return LaboratoryState.FAILED


def _wait_until_unloaded(unloading: WorkerTask[CleanupReport]) -> None:
    if unloading.wait(_UNLOAD_S) is None:
        raise DiagnosticsError("laboratory.not_unloaded")
