"""An engine's process tells what it holds, whatever it is doing; what it cannot tell is unknown."""

from __future__ import annotations

import json
import os

import pytest

from glmtts_core.engines.host.answers import PICTURE, answer
from glmtts_core.engines.host.inline import InlineHost
from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.engines.host.protocol import Ask, Question
from glmtts_core.engines.order import EngineOrder
from glmtts_core.memory.allocator_inspector import AllocatorInspector
from glmtts_core.memory.allocator_picture import picture_of
from glmtts_core.memory.census import Holder
from glmtts_core.memory.inspector import OwnInspector
from glmtts_core.memory.ledger import Ledger
from glmtts_core.memory.process_memory import mapping_kinds
from tests.memory.test_allocator_picture import SNAPSHOT, StandInMemory
from tests.scripted_engine import WEIGHTS_BYTES, LoadOnly, ScriptedEngine

ORDER = EngineOrder("tests.scripted_engine:ScriptedEngine")


def nothing_free(_: str) -> None:
    """Return what a host knows of free memory: nothing."""


@pytest.mark.process
def test_an_engines_process_is_looked_into_from_outside(settings):
    host = ProcessHost(settings, Ledger(), [ORDER], nothing_free)
    assert list(host.inspectors()) == []
    host.preferred.load(LoadOnly())
    try:
        (inspector,) = host.inspectors()
        assert (inspector.pid, inspector.engine) == (next(iter(host.processes)), "Scripted")
        assert inspector.pid != os.getpid()
        assert mapping_kinds(inspector.pid).anonymous_bytes > WEIGHTS_BYTES
        heap = inspector.heap()
        assert heap.used_bytes + heap.mapped_bytes > WEIGHTS_BYTES
        assert Holder.OBJECT in [each.holder for each in inspector.census()]
        # the CPU has no such allocator
        assert inspector.picture() is None
        assert inspector.full_snapshot() is None
        assert not inspector.record_history(on=True)
    finally:
        host.close(idle=True)
    assert inspector.heap() is None
    assert inspector.census() is None


def test_engines_in_this_process_are_looked_into_here(settings):
    host = InlineHost(settings, Ledger(), [ScriptedEngine], nothing_free)
    (inspector,) = host.inspectors()
    assert (inspector.pid, inspector.engine) == (os.getpid(), None)
    assert inspector.census()


def test_the_allocators_picture_arrives_as_it_was_taken():
    taken = picture_of(SNAPSHOT, 0)
    sent = json.loads(json.dumps(PICTURE.dump_python(taken, mode="json")))
    assert PICTURE.validate_python(sent) == taken


def test_the_snapshot_is_written_where_the_question_says(tmp_path, monkeypatch):
    memory = StandInMemory()
    monkeypatch.setattr(AllocatorInspector, "_memory", lambda _: memory)
    file = tmp_path / "snapshot.pickle"
    assert answer(Ask(number=1, question=Question.SNAPSHOT, argument=str(file)), "cuda:0") is True
    assert file.read_bytes() == OwnInspector("cuda:0").full_snapshot()
