"""Trials whose engine has a process of its own: what is measured, limited, cancelled and lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from glmtts_core.diagnostics.experiment import Arm, Experiment, Policy, Workload
from glmtts_core.diagnostics.laboratory import Laboratory, LaboratoryState
from glmtts_core.diagnostics.trial import Trial, TrialPart
from glmtts_core.engines.available import BUILT_IN_VOICE
from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.engines.order import EngineOrder
from glmtts_core.memory.system import resident_set_bytes
from glmtts_core.settings import Settings
from glmtts_core.studio.studio import Studio
from tests.diagnostics.test_laboratory import BOUND_S, NEVER, WORK
from tests.scripted_engine import WEIGHTS_BYTES
from tests.speaking import ANNA
from tests.waiting import wait_until

pytestmark = pytest.mark.process

TIGHT = Arm(policy=Policy.NEVER, headroom_bytes=64 * 2**20)
SYNTHESES = 7


@contextmanager
def laboratory_of(settings: Settings, order: EngineOrder) -> Iterator[Laboratory]:
    with (
        closing(Studio(settings, order, host=ProcessHost)) as studio,
        closing(Laboratory(studio)) as laboratory,
    ):
        yield laboratory


def engine(name: str) -> EngineOrder:
    return EngineOrder(f"tests.diagnostics.trial_engines:{name}")


def start(laboratory: Laboratory, name: str, arm: Arm, work: Workload = WORK) -> None:
    experiment = Experiment(engine=name, arms=(arm,), repetitions=1, workload=work)
    laboratory.start(experiment, ANNA, {})


def run(settings: Settings, order: EngineOrder, arm: Arm, name: str = "Scripted") -> Trial:
    """Run an arm once and return its trial."""
    with laboratory_of(settings, order) as laboratory:
        start(laboratory, name, arm)
        assert laboratory.wait(BOUND_S)
        assert laboratory.view().error is None
        return laboratory.findings().trials[0]


def test_the_main_line_is_the_memory_of_the_engines_process_alone(settings):
    trial = run(settings, EngineOrder("tests.scripted_engine:ScriptedEngine"), NEVER)
    assert trial.failure == ""
    assert [each.error for each in trial.spoken] == [""] * SYNTHESES
    assert WEIGHTS_BYTES < trial.loaded.memory_bytes < resident_set_bytes()
    assert 0 < trial.loaded.start_s < BOUND_S
    assert trial.samples


def test_under_a_limit_what_needs_more_memory_fails_for_lack_of_it(settings):
    free = run(settings, engine("HungryEngine"), NEVER)
    assert [each.error for each in free.spoken] == [""] * SYNTHESES
    limited = run(settings, engine("HungryEngine"), TIGHT)
    assert limited.failure == ""
    lacking = [each.out_of_memory for each in limited.spoken]
    assert lacking == [False, False] + [True] * (SYNTHESES - 2)


def test_a_process_that_ends_by_its_limit_is_followed_by_another_one(settings):
    trial = run(settings, engine("DyingEngine"), TIGHT)
    assert trial.failure == ""
    # each new process speaks twice before it ends
    assert [each.out_of_memory for each in trial.spoken] == [False, False, True] * 2 + [False]


def test_without_a_limit_the_end_of_the_process_ends_the_trial_with_its_reason(settings):
    trial = run(settings, engine("DyingEngine"), NEVER)
    assert "SIGABRT" in trial.failure
    assert [bool(each.error) for each in trial.spoken] == [False, False, True]
    assert not trial.spoken[-1].out_of_memory


def test_cancelling_ends_an_engine_that_does_not_listen(settings):
    with laboratory_of(settings, engine("DeafEngine")) as laboratory:
        start(laboratory, "Scripted", NEVER)
        wait_until(lambda: laboratory.view().progress.arm is not None, BOUND_S)
        laboratory.cancel()
        assert laboratory.wait(5.0)
        assert laboratory.view().state is LaboratoryState.CANCELLED
        assert laboratory.findings().trials == ()


@pytest.mark.voice
def test_the_built_in_voice_does_a_whole_trial(settings):
    arm = Arm(policy=Policy.ALWAYS, clean_at_start=True)
    with laboratory_of(settings, BUILT_IN_VOICE) as laboratory:
        name = BUILT_IN_VOICE.capabilities.engine
        start(laboratory, name, arm, Workload(growing=1, timed=1, batch=1))
        assert laboratory.wait(BOUND_S)
        (trial,) = laboratory.findings().trials
    assert trial.failure == ""
    assert [each.error for each in trial.spoken] == [""] * 5
    assert [each.part for each in trial.cleaned] == [
        TrialPart.START,
        TrialPart.GROWING,
        TrialPart.TIMED,
        TrialPart.BATCH,
        TrialPart.LAST_CLEANUP,
    ]
    assert trial.loaded is not None and trial.rested is not None
    assert trial.samples
