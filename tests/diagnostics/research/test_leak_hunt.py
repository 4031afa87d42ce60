"""The hunt names what an engine keeps and nothing of one that keeps nothing; it can be stopped."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from glmtts_core.diagnostics.research.leak_hunt import WARM_UP, Grown, hunt
from glmtts_core.engines.base import CancelToken
from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.engines.order import EngineOrder
from glmtts_core.errors import EngineError, SynthesisCancelled
from glmtts_core.memory.census import Holder
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.sessions.session import Session
from glmtts_core.settings import Settings
from glmtts_core.studio.studio import Studio
from tests.scripted_engine import ScriptedEngine
from tests.speaking import ANNA, request

SYNTHESES = 8
KIB = 1024


class Prompt:
    """What the leaking engine forgets to let go."""

    def __init__(self) -> None:
        self.array = np.zeros(16 * KIB, np.float32)


class LeakingEngine(ScriptedEngine):
    """Keeps an object with an array and a tensor of every synthesis, and writes down a cache."""

    def synthesize(self, request, caches, control):
        import torch

        self.kept = [*getattr(self, "kept", []), Prompt(), torch.zeros(3, 5 * KIB)]
        caches.put(LedgerKind.VOICE_CACHE, str(len(self.kept)), "prompt", 7 * KIB)
        return super().synthesize(request, caches, control)


def in_this_process(settings: Settings) -> Studio:
    return Studio(settings, LeakingEngine)


def in_its_own_process(settings: Settings) -> Studio:
    return Studio(settings, EngineOrder(f"{__name__}:LeakingEngine"), host=ProcessHost)


@pytest.fixture
def leaking(settings, request):
    with closing(request.param(settings)) as studio:
        # without a lease, the caches of the session would go with each job
        studio.sessions.lease(ANNA)
        yield Session(studio, ANNA)


@pytest.mark.parametrize(
    "leaking",
    [in_this_process, pytest.param(in_its_own_process, marks=pytest.mark.process)],
    indirect=True,
)
def test_what_an_engine_keeps_is_named_with_its_bytes(leaking):
    found = hunt(leaking, request(), SYNTHESES)
    tensor = Grown(Holder.TENSOR, "float32 (3, 5120) cpu", SYNTHESES, SYNTHESES * 60 * KIB)
    array = Grown(Holder.ARRAY, "float32 (16384,)", SYNTHESES, SYNTHESES * 64 * KIB)
    assert tensor in found.grown
    assert array in found.grown
    assert Grown(Holder.LEDGER, "voice_cache", SYNTHESES, SYNTHESES * 7 * KIB) in found.grown
    assert Grown(Holder.OBJECT, f"{__name__}.Prompt", SYNTHESES, None) in found.grown
    assert found.grown[0] == array


def test_of_an_engine_that_keeps_nothing_nothing_is_named(studio):
    found = hunt(Session(studio, ANNA), request(), SYNTHESES)
    assert [each for each in found.grown if each.holder is not Holder.OBJECT] == []
    assert len(found.after_bytes) == found.syntheses == found.growth.syntheses == SYNTHESES


def test_the_hunt_leaves_the_sessions_history_as_it_was(studio):
    session = Session(studio, ANNA)
    hunt(session, request(), 2)
    assert session.history.list().records == ()


def test_every_synthesis_is_told(studio):
    told = []
    hunt(Session(studio, ANNA), request(), 3, on_spoken=told.append)
    assert told == list(range(1, WARM_UP + 3 + 1))


def test_a_cancelled_hunt_ends_at_once(studio):
    cancel = CancelToken()
    with pytest.raises(SynthesisCancelled):
        hunt(
            Session(studio, ANNA), request(), 50, on_spoken=lambda _: cancel.cancel(), cancel=cancel
        )
    assert len(studio.engine.spoken) == 1


def test_a_synthesis_that_fails_ends_the_hunt_with_its_reason(studio):
    studio.engine.fail_with = lambda: EngineError("engine.out_of_memory")
    with pytest.raises(EngineError, match="not enough free memory"):
        hunt(Session(studio, ANNA), request(), 2)
