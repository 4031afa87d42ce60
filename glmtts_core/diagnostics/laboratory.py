"""The before/after laboratory: each trial in a fresh process, in random order, beside the pages.

Hangs on the studio as a service. Knows nothing about pages.
"""

from __future__ import annotations

import logging
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from glmtts_core.diagnostics.experiment import Arm, Experiment
from glmtts_core.diagnostics.experiment_folders import (
    AUDIO_FOLDER,
    clear_old_experiments,
    experiments,
    keep_audio,
)
from glmtts_core.diagnostics.findings import Findings, load, save
from glmtts_core.diagnostics.process import TrialProcess
from glmtts_core.diagnostics.trial import Spoken, Trial, TrialOrder
from glmtts_core.diagnostics.trial_quality import examined
from glmtts_core.errors import BusyError, DiagnosticsError, GLMTTSError, StorageError
from glmtts_core.files import scratch_folder
from glmtts_core.memory.cleanup import CleanupLevel, CleanupReport
from glmtts_core.studio.studio import Studio
from glmtts_core.studio.worker import WorkerTask

CHILD: Final = (sys.executable, "-m", "glmtts_core.diagnostics.child")
#: Until something was measured here: what the built-in voice takes on two cores.
GUESSED_SECONDS_PER_CHARACTER: Final = 0.15
GUESSED_SECONDS_TO_START: Final = 6.0
#: Seconds to wait for the app's own engine to be unloaded: its running job comes first.
_UNLOAD_S: Final = 300.0
#: Seconds between two looks whether the app's engine was loaded meanwhile.
_WATCH_S: Final = 0.5
#: Seconds that closing waits for the thread; a killed child is gone at once.
_CLOSE_S: Final = 5.0
#: Results that a trial's process keeps: more than any workload speaks.
_RESULTS_KEPT: Final = 500
_log = logging.getLogger(__name__)


class LaboratoryState(StrEnum):
    """What the laboratory is doing."""

    IDLE = "idle"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LaboratoryView:
    """The laboratory as it stood at one moment.

    Attributes:
        state: what it is doing.
        done, trials: trials that have ended, and all of them.
        arm: the arm of the running trial; None between trials.
        repetition: of the running trial.
        spoken: syntheses of the running trial so far.
        elapsed_s: since the start.
        remaining_s: about how long it still takes; None before anything is known.
        error: what went wrong, for `FAILED`.
    """

    state: LaboratoryState
    done: int = 0
    trials: int = 0
    arm: Arm | None = None
    repetition: int = 0
    spoken: int = 0
    elapsed_s: float = 0.0
    remaining_s: float | None = None
    error: GLMTTSError | None = None


class Laboratory:
    """Runs one experiment at a time in its own thread. Thread-safe.

    Args:
        studio: whose engine makes room, and whose settings hold in the children too.
        command: starts a trial's process.
    """

    def __init__(self, studio: Studio, command: Sequence[str] = CHILD) -> None:
        self._studio = studio
        self._command = tuple(command)
        self._root = studio.settings.output_dir / "laboratory"
        self._lock = threading.Lock()
        self._view = LaboratoryView(LaboratoryState.IDLE)
        self._began_s = 0.0
        self._planned_s = 0.0
        self._thread: threading.Thread | None = None
        self._process: TrialProcess | None = None
        self._rehearsed = False
        self._reference: Path | None = None
        self._reference_text = ""
        self._cancelled = threading.Event()
        self._folder = next(reversed(self.folders()), None)
        self._findings: Findings | None = None

    def view(self) -> LaboratoryView:
        """Return how far it is."""
        with self._lock:
            if self._view.state is not LaboratoryState.RUNNING:
                return self._view
            elapsed_s = time.monotonic() - self._began_s
            return replace(
                self._view, elapsed_s=elapsed_s, remaining_s=self._remaining_s(elapsed_s)
            )

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
            # who looks at it is told; a new experiment does not need it
            _log.warning("%s", error)
            before = None
        pace = None if before is None else before.pace(experiment.engine)
        guess = (GUESSED_SECONDS_PER_CHARACTER, GUESSED_SECONDS_TO_START)
        return experiment.seconds(*(pace or guess)), pace is not None

    def start(self, experiment: Experiment, session_id: str, machine: dict[str, str]) -> None:
        """Unload the app's engine and begin.

        Args:
            experiment: what to do.
            session_id: who asks; its own waiting jobs do not stand in the way.
            machine: what the figures depend on, to be kept with them.

        Raises:
            BusyError: an experiment is running, or others' jobs run or wait.
            RequestError: no engine has this name.
            StorageError: what was measured before cannot be read.
            DiagnosticsError: the engine only clones, and the session has no recording.
        """
        capabilities = self._studio.engines.find(experiment.engine).capabilities
        draft = self._studio.sessions.entry(session_id).draft
        reference = None if capabilities.voices else draft.reference_file
        if reference is None and not capabilities.voices:
            raise DiagnosticsError("laboratory.no_reference", engine=experiment.engine)
        planned_s, _ = self.estimate_s(experiment)
        with self._lock:
            if self._view.state is LaboratoryState.RUNNING:
                raise BusyError("laboratory.busy")
            unloading = self._studio.cleanup(CleanupLevel.UNLOAD, session_id)
            self._planned_s = planned_s
            self._began_s = time.monotonic()
            self._cancelled.clear()
            # as it is now: a rehearsal may be switched off while its experiment runs
            self._rehearsed = capabilities.random_weights
            self._reference = reference
            self._reference_text = draft.form.reference_transcript or ""
            self._view = LaboratoryView(LaboratoryState.RUNNING, trials=len(experiment.trials()))
            findings = Findings(
                experiment=experiment,
                began_at=datetime.now().astimezone(),
                machine=machine,
                device=capabilities.device,
                trials=(),
                complete=False,
            )
            self._thread = threading.Thread(
                target=self._run,
                args=(findings, unloading),
                name="laboratory",
                daemon=True,
            )
            self._thread.start()

    def cancel(self) -> None:
        """End the running experiment; what its finished trials found stays."""
        self._cancelled.set()
        with self._lock:
            process = self._process
        if process is not None:
            process.stop()

    def close(self) -> None:
        """Cancel, and wait for the thread."""
        self.cancel()
        thread = self._thread
        if thread is not None:
            thread.join(_CLOSE_S)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the experiment has ended; False when ``timeout_s`` ran out first."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    # -- the thread ----------------------------------------------------------------------------

    def _run(self, findings: Findings, unloading: WorkerTask[CleanupReport]) -> None:
        try:
            _wait_until_unloaded(unloading)
            folder = self._root / f"{findings.began_at:%Y%m%d-%H%M%S-%f}"
            self._keep(findings, folder)
            clear_old_experiments(self._root, self._studio.settings.history_max_age_days)
            self._run_trials(findings, folder)
            cancelled = self._cancelled.is_set()
            self._update(state=LaboratoryState.CANCELLED if cancelled else LaboratoryState.DONE)
        except GLMTTSError as error:
            self._update(state=LaboratoryState.FAILED, error=error)
        except Exception as error:  # noqa: BLE001
            # a thread has no caller: the page shows it
            _log.exception("the laboratory failed")
            problem = DiagnosticsError(
                "laboratory.failed", reason=f"{type(error).__name__}: {error}"
            )
            self._update(state=LaboratoryState.FAILED, error=problem)

    def _run_trials(self, findings: Findings, folder: Path) -> None:
        experiment = findings.experiment
        trials = experiment.trials()
        for number, (arm, repetition) in enumerate(trials, start=1):
            self._update(arm=arm, repetition=repetition, spoken=0)
            with scratch_folder() as scratch:
                trial = self._run_trial(experiment, arm, repetition, scratch)
                if self._cancelled.is_set():
                    return
                # what random weights say is noise, and no fault of it means anything
                if not self._rehearsed:
                    trial = examined(trial, scratch)
                keep_audio(trial, scratch, folder / AUDIO_FOLDER / arm.id)
            findings = findings.model_copy(
                update={"trials": (*findings.trials, trial), "complete": number == len(trials)}
            )
            self._keep(findings, folder)
            self._update(done=number, arm=None)

    def _run_trial(self, experiment: Experiment, arm: Arm, repetition: int, scratch: Path) -> Trial:
        order = TrialOrder(
            settings=self._settings_for(scratch),
            engine=experiment.engine,
            arm=arm,
            workload=experiment.workload,
            reference_file=None if self._reference is None else self._reference.absolute(),
            reference_text=self._reference_text,
        )
        process = TrialProcess(self._command, order, repetition, self._count)
        with self._lock:
            self._process = process
        if self._cancelled.is_set():
            process.stop()
        with _Watch(lambda: self._studio.engines.any_loaded) as watch:
            trial = process.run()
        with self._lock:
            self._process = None
        return trial.model_copy(update={"disturbed": watch.seen})

    def _settings_for(self, scratch: Path) -> dict[str, Any]:
        settings = self._studio.settings.model_dump(mode="json", exclude={"api_token"})
        ours = {
            "rehearsal": self._studio.settings.rehearsal or self._rehearsed,
            "output_dir": str(scratch),
            "history_max_results": _RESULTS_KEPT,
        }
        return settings | ours

    def _count(self, _: Spoken) -> None:
        with self._lock:
            self._view = replace(self._view, spoken=self._view.spoken + 1)

    def _keep(self, findings: Findings, folder: Path) -> None:
        save(findings, folder)
        with self._lock:
            self._findings, self._folder = findings, folder

    def _update(self, **changes: Any) -> None:
        with self._lock:
            changes["elapsed_s"] = time.monotonic() - self._began_s
            self._view = replace(self._view, **changes)

    # -- how long it takes ---------------------------------------------------------------------

    def _remaining_s(self, elapsed_s: float) -> float | None:
        findings, view = self._findings, self._view
        if not view.done or findings is None or not findings.trials:
            return max(0.0, self._planned_s - elapsed_s)
        one_s = statistics.fmean(trial.wall_s for trial in findings.trials)
        into_trial_s = elapsed_s - sum(trial.wall_s for trial in findings.trials)
        return max(0.0, one_s * (view.trials - view.done) - max(0.0, into_trial_s))


class _Watch:
    """Looks again and again whether something has come true while inside."""

    def __init__(self, condition: Callable[[], bool]) -> None:
        self.seen = False
        self._condition = condition
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="laboratory-watch", daemon=True)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.is_set() and not self.seen:
            self.seen = self._condition()
            self._stop.wait(_WATCH_S)


def open_laboratory(studio: Studio) -> Laboratory:
    """Return the studio's laboratory.

    Raises:
        SynthesisCancelled: the program is closing.
    """
    return studio.services.get(Laboratory, lambda: Laboratory(studio))


def _wait_until_unloaded(unloading: WorkerTask[CleanupReport]) -> None:
    if unloading.wait(_UNLOAD_S) is None:
        raise DiagnosticsError("laboratory.not_unloaded")
