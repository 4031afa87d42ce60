"""One trial in a process of its own, with the built-in voice."""

from __future__ import annotations

import pytest

from glmtts_core.diagnostics.experiment import Arm, Policy, Workload
from glmtts_core.diagnostics.laboratory import CHILD
from glmtts_core.diagnostics.process import TrialProcess
from glmtts_core.diagnostics.trial import TrialOrder, TrialPart
from glmtts_core.engines.kokoro.engine import KokoroEngine
from glmtts_core.memory.ledger import Ledger

pytestmark = [pytest.mark.process, pytest.mark.voice]


def test_the_built_in_voice_does_a_whole_trial(settings):
    order = TrialOrder(
        settings=settings.model_dump(mode="json", exclude={"api_token"}),
        engine=KokoroEngine(settings, Ledger()).capabilities.engine,
        arm=Arm(policy=Policy.ALWAYS, clean_at_start=True),
        workload=Workload(growing=1, timed=1, batch=1),
    )
    trial = TrialProcess(CHILD, order, 1).run()
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
