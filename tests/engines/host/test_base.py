"""Several engines in one process: which one is meant, and which makes room for another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.engines.host import EngineHost
from glmtts_core.errors import RequestError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings
from tests.scripted_engine import CloningEngine, LoadOnly, ScriptedEngine

NEEDED_BYTES = 100


class Rehearsal(ScriptedEngine):
    """Computes on a GPU, with random weights."""

    @property
    def capabilities(self) -> Capabilities:
        return replace(
            super().capabilities, engine="Rehearsal", device="cuda:1", random_weights=True
        )


@pytest.fixture
def engines() -> tuple[CloningEngine, ScriptedEngine]:
    settings, ledger = Settings(_env_file=None), Ledger()
    return CloningEngine(settings, ledger, NEEDED_BYTES), ScriptedEngine(settings, ledger)


def host_with(engines, free_bytes: int | None) -> EngineHost:
    return EngineHost(engines, lambda device: free_bytes)


def test_the_first_engine_is_the_preferred_one(engines):
    host = host_with(engines, None)
    assert host.names == ("Cloning", "Scripted")
    assert host.find(None) is host.preferred is engines[0]
    assert host.find("Scripted") is engines[1]


def test_an_unknown_engine_is_refused_with_the_known_names(engines):
    with pytest.raises(RequestError, match=r"no engine called Nobody.*Cloning, Scripted"):
        host_with(engines, None).find("Nobody")


@pytest.mark.parametrize(
    ("free_bytes", "crowded"), [(NEEDED_BYTES, False), (NEEDED_BYTES - 1, True), (None, False)]
)
def test_a_loaded_engine_is_in_the_way_only_when_memory_does_not_suffice(
    engines, free_bytes, crowded
):
    cloning, scripted = engines
    host = host_with(engines, free_bytes)
    assert host.in_the_way_of(cloning) == ()
    scripted.load(LoadOnly())
    assert host.in_the_way_of(cloning) == ((scripted,) if crowded else ())


def test_a_release_reaches_every_engine(engines):
    host = host_with(engines, None)
    for engine in engines:
        engine.load(LoadOnly())
    assert host.any_loaded
    host.release(CleanupLevel.UNLOAD)
    assert not host.any_loaded


def test_an_engine_can_come_after_the_others_and_go_with_its_memory(engines):
    cloning, scripted = engines
    host = host_with([cloning], None)
    host.add(scripted)
    assert host.names == ("Cloning", "Scripted")
    scripted.load(LoadOnly())
    host.remove(scripted)
    assert host.names == ("Cloning",)
    assert not scripted.loaded


def test_the_rehearsal_is_the_engine_with_random_weights(engines):
    host = host_with(engines, None)
    assert host.rehearsal is None
    rehearsal = Rehearsal(Settings(_env_file=None), Ledger())
    host.add(rehearsal)
    assert host.rehearsal is rehearsal


def test_memory_is_accounted_for_where_the_first_gpu_is(engines):
    host = host_with(engines, None)
    assert host.main_device == "cpu"
    host.add(Rehearsal(Settings(_env_file=None), Ledger()))
    assert host.main_device == "cuda:1"
