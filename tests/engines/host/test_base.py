"""Several engines in one process: which one is meant, and which makes room for another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from glmtts_core.engines.available import EngineFactory
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.engines.host.inline import InlineHost
from glmtts_core.errors import EngineProcessError, RequestError
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


class Cloning(CloningEngine):
    """Needs some memory."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        super().__init__(settings, ledger, NEEDED_BYTES)


def host_with(*factories: EngineFactory, free_bytes: int | None = None) -> InlineHost:
    settings = Settings(_env_file=None)
    return InlineHost(settings, Ledger(), factories, lambda device: free_bytes)


@pytest.fixture
def host() -> InlineHost:
    return host_with(Cloning, ScriptedEngine)


def test_the_first_engine_is_the_preferred_one(host):
    assert host.names == ("Cloning", "Scripted")
    assert host.find(None) is host.preferred is host.find("Cloning")
    assert host.find("Scripted").capabilities.engine == "Scripted"


def test_an_unknown_engine_is_refused_with_the_known_names(host):
    with pytest.raises(RequestError, match=r"no engine called Nobody.*Cloning, Scripted"):
        host.find("Nobody")


@pytest.mark.parametrize(
    ("free_bytes", "crowded"), [(NEEDED_BYTES, False), (NEEDED_BYTES - 1, True), (None, False)]
)
def test_a_loaded_engine_is_in_the_way_only_when_memory_does_not_suffice(free_bytes, crowded):
    host = host_with(Cloning, ScriptedEngine, free_bytes=free_bytes)
    cloning, scripted = host.find("Cloning"), host.find("Scripted")
    assert host.in_the_way_of(cloning) == ()
    scripted.load(LoadOnly())
    assert host.in_the_way_of(cloning) == ((scripted,) if crowded else ())


def test_a_release_reaches_every_engine(host):
    for name in host.names:
        host.find(name).load(LoadOnly())
    assert host.any_loaded
    host.release(CleanupLevel.UNLOAD)
    assert not host.any_loaded


def test_a_release_reaches_the_others_of_an_engine_that_fails(host):
    for name in host.names:
        host.find(name).load(LoadOnly())
    host.preferred.fail_releasing_with = lambda: EngineProcessError(
        "engine.process_hung", engine="x"
    )
    with pytest.raises(EngineProcessError):
        host.release(CleanupLevel.UNLOAD)
    assert not host.find("Scripted").loaded


def test_an_engine_can_come_after_the_others_and_go_with_its_memory():
    host = host_with(Cloning)
    host.add(ScriptedEngine)
    assert host.names == ("Cloning", "Scripted")
    scripted = host.find("Scripted")
    scripted.load(LoadOnly())
    host.remove(scripted)
    assert host.names == ("Cloning",)
    assert not scripted.loaded


def test_the_rehearsal_is_the_engine_with_random_weights(host):
    assert host.rehearsal is None
    host.add(Rehearsal)
    assert host.rehearsal is host.find("Rehearsal")


def test_memory_is_accounted_for_where_the_first_gpu_is(host):
    assert host.main_device == "cpu"
    host.add(Rehearsal)
    assert host.main_device == "cuda:1"


@pytest.mark.parametrize(("idle", "loaded"), [(True, False), (False, True)])
def test_an_engine_at_work_is_left_alone_by_the_end(host, idle, loaded):
    host.preferred.load(LoadOnly())
    host.close(idle=idle)
    assert host.preferred.loaded is loaded


def test_engines_in_this_process_have_no_other(host):
    assert host.processes is None
