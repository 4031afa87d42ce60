"""What a studio writes down of engines' processes: each one that is lost, once, and no other."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.engines.host.process_watch import Patience
from glmtts_core.errors import EngineError, EngineProcessError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.monitor import EventKind
from glmtts_core.sessions.events import EngineLoss
from glmtts_core.studio.jobs import JobState
from glmtts_core.studio.studio import Studio
from tests.engines.host.remote_scripted import HOLD, NAME, ON_LOAD, ON_MAKE, ORDER, WAITS
from tests.scripted_engine import ScriptedEngine
from tests.speaking import ANNA, request
from tests.waiting import BOUND_S, wait_until

pytestmark = pytest.mark.process

#: Seconds without a sign of life where a process is stopped: on a busy machine its start is as
#: silent for a while.
SOON_S = 5.0
EVER_S = 3600.0


class HastyHost(ProcessHost):
    """Waits for a silent process for a few seconds only."""

    def __init__(self, *given) -> None:
        super().__init__(*given, Patience(hung_s=SOON_S, loading_s=BOUND_S, cancel_s=SOON_S))


@pytest.fixture
def opened(settings) -> Iterator[Studio]:
    settings.output_dir.mkdir(exist_ok=True)
    with closing(Studio(settings, ORDER, host=HastyHost)) as studio:
        yield studio


def file_of(studio: Studio, name: str) -> Path:
    return studio.settings.output_dir / name


def speak(studio: Studio, text: str = "hello") -> EngineError | None:
    job = studio.submit(ANNA, request(text))
    assert job.wait(BOUND_S)
    return job.view().error


def kill(studio: Studio) -> None:
    (pid,) = studio.engines.processes
    os.kill(pid, signal.SIGKILL)


def marks(studio: Studio) -> list[str]:
    """Return the engines that the chart marks as lost, once no process is listened to."""
    wait_until(lambda: not any(" listener" in each.name for each in threading.enumerate()))
    lost = [each for each in studio.monitor.events(EVER_S) if each.kind is EventKind.ENGINE_LOST]
    return [each.label for each in lost]


def rows(studio: Studio) -> list[str]:
    """Return which sentences the database has of engines that were lost."""
    losses = studio.event_log.recent(EngineLoss)
    assert {each.engine for each in losses} <= {NAME}
    return [each.message.key for each in losses]


def assert_lost_once(studio: Studio, key: str) -> None:
    assert marks(studio) == [NAME]
    assert rows(studio) == [key]


def test_a_kill_while_it_speaks(opened):
    file_of(opened, HOLD).touch()
    job = opened.submit(ANNA, request("hold:"))
    wait_until(file_of(opened, WAITS).exists)
    kill(opened)
    assert job.wait(BOUND_S)
    assert job.view().state is JobState.FAILED
    assert_lost_once(opened, "engine.process_ended")


def test_a_kill_while_it_is_idle(opened):
    assert speak(opened) is None
    kill(opened)
    wait_until(lambda: not opened.engines.processes)
    assert_lost_once(opened, "engine.process_ended")


def test_a_kill_while_it_loads(opened):
    file_of(opened, ON_LOAD).write_text("kill:SIGKILL", "utf-8")
    assert isinstance(speak(opened), EngineProcessError)
    assert_lost_once(opened, "engine.process_ended")


def test_a_hang(opened):
    assert speak(opened) is None
    assert isinstance(speak(opened, "kill:SIGSTOP"), EngineProcessError)
    assert_lost_once(opened, "engine.process_hung")


def test_an_error_that_spoils_the_process(opened):
    assert isinstance(speak(opened, "spoil:"), EngineProcessError)
    assert_lost_once(opened, "engine.process_spoilt")


def test_two_losses_are_two(opened):
    for _ in range(2):
        assert isinstance(speak(opened, "exit:0"), EngineProcessError)
    assert marks(opened) == [NAME] * 2
    assert rows(opened) == ["engine.process_ended"] * 2


def test_an_unload_is_none(opened):
    assert speak(opened) is None
    assert opened.cleanup(CleanupLevel.UNLOAD, ANNA).wait(BOUND_S) is not None
    assert not opened.engines.processes
    assert marks(opened) == []
    assert rows(opened) == []


@pytest.mark.parametrize("step", ["fail:EngineError", "fail:panic"])
def test_an_engine_that_cannot_be_made_is_none(opened, step):
    file_of(opened, ON_MAKE).write_text(step, "utf-8")
    assert isinstance(speak(opened), EngineError)
    assert marks(opened) == []
    assert rows(opened) == []


@pytest.mark.parametrize("text", ["hello", "hold:"])
def test_the_end_of_the_studio_is_none(settings, text):
    settings.output_dir.mkdir(exist_ok=True)
    (settings.output_dir / HOLD).touch()
    with closing(Studio(settings, ORDER, host=HastyHost)) as studio:
        job = studio.submit(ANNA, request(text))
        if text == "hold:":
            wait_until((settings.output_dir / WAITS).exists)
        else:
            assert job.wait(BOUND_S)
    assert marks(studio) == []
    with closing(Studio(settings, ScriptedEngine)) as next_one:
        assert rows(next_one) == []
