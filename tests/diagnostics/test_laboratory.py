"""The laboratory with trials in this process, that speak with the scripted engine."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from glmtts_core.audio import encode_wav
from glmtts_core.diagnostics.experiment import Arm, Experiment, Policy, Workload, claim_arms
from glmtts_core.diagnostics.findings import load
from glmtts_core.diagnostics.laboratory import Laboratory, LaboratoryState
from glmtts_core.diagnostics.metrics import Metric
from glmtts_core.diagnostics.trial import Trial, TrialPart
from glmtts_core.diagnostics.trial_quality import examined
from glmtts_core.engines.available import EngineFactory
from glmtts_core.engines.base import CancelToken
from glmtts_core.errors import BusyError, DiagnosticsError, EngineError
from glmtts_core.places import PROGRAM_DIR
from glmtts_core.settings import Settings
from glmtts_core.studio.studio import Studio
from tests.scripted_engine import ScriptedEngine, VoicelessEngine
from tests.speaking import ANNA, request
from tests.waiting import wait_until

#: Seconds for a few trials on a busy machine.
BOUND_S = 120.0
WORK = Workload(growing=2, timed=1, batch=2)
NEVER = Arm(policy=Policy.NEVER)
ALWAYS = Arm(policy=Policy.ALWAYS, clean_at_start=True)


def open_inline(settings: Settings, factory: EngineFactory) -> Studio:
    """Open a trial's studio with its engine in this process."""
    return Studio(settings, factory, rescue=False)


def examined_inline(trial: Trial, folder: Path, _: CancelToken) -> Trial:
    """Examine a trial in this process."""
    return examined(trial, folder)


@pytest.fixture
def laboratory(studio):
    with closing(Laboratory(studio, open_inline, examined_inline)) as opened:
        yield opened


def experiment(*arms: Arm, repetitions: int = 1) -> Experiment:
    return Experiment(engine="Scripted", arms=arms, repetitions=repetitions, workload=WORK)


def run(laboratory: Laboratory, *arms: Arm, repetitions: int = 1):
    laboratory.start(experiment(*arms, repetitions=repetitions), ANNA, {"system": "test"})
    assert laboratory.wait(BOUND_S)
    assert laboratory.view().error is None
    return laboratory.findings()


def test_every_arm_does_the_whole_work_and_cleans_as_it_should(laboratory):
    findings = run(laboratory, NEVER, ALWAYS)
    assert laboratory.view().state is LaboratoryState.DONE
    assert findings.complete
    by_arm = {trial.arm_id: trial for trial in findings.trials}
    assert {trial.failure for trial in findings.trials} == {""}
    for trial in findings.trials:
        assert [
            len(trial.of_part(part))
            for part in (TrialPart.GROWING, TrialPart.TIMED, TrialPart.BATCH)
        ] == [
            2,
            1,
            2,
        ]
        assert all(each.audio_s > 0 and not each.error for each in trial.spoken)
        assert all(each.alarms is not None for each in trial.spoken)
        assert Metric.SUCCESS.of(trial) == 1.0
        assert Metric.PEAK.of(trial) > 0
    assert [each.part for each in by_arm[NEVER.id].cleaned] == [TrialPart.LAST_CLEANUP]
    assert len(by_arm[ALWAYS.id].cleaned) == 1 + 5 + 1


def test_findings_survive_the_program_and_bring_their_audio(laboratory, studio):
    findings = run(laboratory, NEVER)
    assert load(laboratory.folder) == findings
    assert Laboratory(studio).findings() == findings
    kept = sorted(path.name for path in (laboratory.folder / "audio" / NEVER.id).iterdir())
    assert kept == ["growing-0.wav", "growing-1.wav", "timed-0.wav"]


@pytest.fixture
def cloning(settings):
    """A laboratory whose engine speaks in the voice of a recording only."""
    with (
        closing(Studio(settings, VoicelessEngine)) as studio,
        closing(Laboratory(studio, open_inline, examined_inline)) as opened,
    ):
        yield opened, studio.sessions.entry(ANNA).saved_form


VOICELESS = Experiment(engine="Voiceless", arms=(NEVER,), repetitions=1, workload=WORK)


def test_an_engine_that_only_clones_needs_a_recording_first(cloning):
    laboratory, _ = cloning
    with pytest.raises(DiagnosticsError, match="recording on the synthesis page"):
        laboratory.start(VOICELESS, ANNA, {})
    assert laboratory.view().state is LaboratoryState.IDLE


def test_an_engine_that_only_clones_speaks_with_the_sessions_recording(cloning):
    laboratory, saved_form = cloning
    saved_form.keep_reference(encode_wav(np.zeros(8_000, np.float32), 8_000), "anna.wav")
    laboratory.start(VOICELESS, ANNA, {})
    assert laboratory.wait(BOUND_S)
    (trial,) = laboratory.findings().trials
    assert {each.error for each in trial.spoken} == {""}


def test_the_apps_own_engine_is_unloaded_first(laboratory, studio):
    assert studio.load(ANNA).wait(BOUND_S)
    assert studio.engine.loaded
    findings = run(laboratory, NEVER)
    assert not studio.engine.loaded
    assert not findings.trials[0].disturbed


def test_a_trial_during_which_the_app_loads_its_engine_counts_as_disturbed(laboratory, studio):
    laboratory.start(experiment(NEVER), ANNA, {})
    wait_until(lambda: laboratory.view().progress.arm is not None, BOUND_S)
    assert studio.load(ANNA).wait(BOUND_S)
    assert laboratory.wait(BOUND_S)
    assert laboratory.findings().trials[0].disturbed


def test_it_does_not_start_while_others_speak(laboratory, studio):
    studio.engine.gate.clear()
    job = studio.submit(ANNA, request())
    with pytest.raises(BusyError):
        laboratory.start(experiment(NEVER), "b" * 32, {})
    assert laboratory.view().state is LaboratoryState.IDLE
    job.cancel()
    studio.engine.gate.set()


def test_cancelling_keeps_what_was_found(laboratory):
    laboratory.start(experiment(NEVER, ALWAYS, repetitions=20), ANNA, {})
    wait_until(lambda: laboratory.view().progress.done >= 1, BOUND_S)
    with pytest.raises(BusyError):
        laboratory.start(experiment(NEVER), ANNA, {})
    laboratory.cancel()
    assert laboratory.wait(BOUND_S)
    view = laboratory.view()
    assert view.state is LaboratoryState.CANCELLED
    assert len(laboratory.findings().trials) >= view.progress.done >= 1
    assert not laboratory.findings().complete


def test_a_trial_whose_engine_cannot_be_loaded_says_why(studio):
    def open_broken(settings: Settings, factory: EngineFactory) -> Studio:
        opened = open_inline(settings, factory)
        opened.engine.fail_loading_with = lambda: EngineError("engine.unexpected", reason="no")
        return opened

    with closing(Laboratory(studio, open_broken, examined_inline)) as broken:
        findings = run(broken, NEVER)
    assert findings.usable == ()
    assert "no" in findings.trials[0].failure


@pytest.mark.parametrize("name", ["cache_dir", "ckpt"])
def test_a_trial_looks_for_models_where_the_program_does(name, settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = Settings(_env_file=None, **settings.model_dump() | {name: Path("models")})
    opened_with = []

    def open_noting(settings: Settings, factory: EngineFactory) -> Studio:
        opened_with.append(settings)
        return open_inline(settings, factory)

    with (
        closing(Studio(given, ScriptedEngine)) as studio,
        closing(Laboratory(studio, open_noting, examined_inline)) as noting,
    ):
        run(noting, NEVER)
    assert getattr(opened_with[0], name) == PROGRAM_DIR / "models"


def test_once_measured_the_estimate_says_so(laboratory):
    assert laboratory.estimate_s(experiment(NEVER))[1] is False
    run(laboratory, NEVER)
    seconds, measured = laboratory.estimate_s(experiment(NEVER, ALWAYS, repetitions=2))
    assert measured
    assert 0 < seconds < BOUND_S


def test_the_preset_leaves_out_what_the_engine_lacks(studio):
    ids = [arm.id for arm in claim_arms(studio.engine.capabilities, 2**28)]
    assert "never+rates" in ids
    assert not any("history" in each or "seeds" in each for each in ids)
    assert len(set(ids)) == len(ids)


def test_voices_take_turns_where_an_arm_switches_them(laboratory):
    found = run(laboratory, NEVER, Arm(policy=Policy.NEVER, switch_voices=True))
    voices = {trial.arm_id: [each.voice for each in trial.spoken] for trial in found.trials}
    assert set(voices[NEVER.id]) == {"alpha"}
    assert voices["never+voices"] == ["alpha", "kumo"] * 3 + ["alpha"]


def test_an_old_experiment_goes_when_a_new_one_begins(laboratory, settings):
    first = run(laboratory, NEVER)
    folder = laboratory.folder
    then_s = time.time() - 86_400 * (settings.history_max_age_days + 1)
    os.utime(folder, (then_s, then_s))
    second = run(laboratory, NEVER)
    assert second.began_at > first.began_at
    assert not folder.exists()
    assert load(laboratory.folder) == second
