"""However an engine's process ends: one sentence, nothing left behind, and the next job works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from glmtts_core.catalogue import LANGUAGES
from glmtts_core.engines.base import Engine
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.host import process_end
from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.engines.host.process_watch import Patience
from glmtts_core.errors import (
    EngineProcessError,
    GLMTTSError,
    OutOfMemoryError,
    SynthesisCancelled,
)
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import Ledger
from glmtts_core.places import PROGRAM_DIR
from glmtts_core.settings import Settings
from tests.engines.host.controls import NotingControl, once_it_waits
from tests.engines.host.remote_scripted import (
    GRANDCHILD,
    HOLD,
    NAME,
    ON_LOAD,
    ON_RELEASE,
    ORDER,
    WAITS,
)
from tests.speaking import ANNA, request
from tests.waiting import wait_until

pytestmark = pytest.mark.process

TRIM, UNLOAD = CleanupLevel.TRIM, CleanupLevel.UNLOAD
#: Seconds without a sign of life where a process is stopped: on a busy machine its start is as
#: silent for a while.
SOON_S = 5.0
CANCEL_S = 1.0
#: What the engine is told to do, and the sentence that this ends in.
ENDS = {
    "kill:SIGKILL": "engine.process_ended",
    "abort:": "engine.process_ended",
    "crash:": "engine.process_ended",
    "exit:0": "engine.process_ended",
    "kill:SIGSTOP": "engine.process_hung",
    "disconnect:": "engine.process_ended",
    "garble:": "engine.process_ended",
    "spoil:": "engine.process_spoilt",
}
SOME_ENDS = ("kill:SIGKILL", "kill:SIGSTOP")


@pytest.fixture(autouse=True)
def kernel_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is ended for want of memory, whatever else happens on this machine."""
    for module in (process_end, sys.modules["glmtts_core.engines.host.engine_process"]):
        monkeypatch.setattr(module, "oom_kills", lambda: 0)


def children() -> set[int]:
    """Return our processes, those that have ended and were not waited for too."""
    return {each.pid for each in psutil.Process().children(recursive=True)}


def handles() -> set[str]:
    """Return what our handles are of, but for those of the test tool's own."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{entry.name} {entry.readlink()}")
        except OSError:
            continue
    return found


@pytest.fixture(autouse=True)
def nothing_is_left(kernel_counts) -> Iterator[None]:
    """Hold what there was before a test against what there is after it."""
    before = children(), handles(), set(threading.enumerate())
    yield
    wait_until(lambda: children() <= before[0])
    wait_until(lambda: handles() <= before[1])
    wait_until(lambda: set(threading.enumerate()) <= before[2])


class Rig:
    """A host with the scripted engine in a process, loaded."""

    def __init__(self, folder: Path, hung_s: float = SOON_S) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        settings = Settings(_env_file=None, device="cpu", output_dir=folder)
        self.ledger = Ledger()
        self.host = ProcessHost(
            settings,
            self.ledger,
            [ORDER],
            lambda _: None,
            Patience(hung_s=hung_s, loading_s=hung_s, cancel_s=CANCEL_S),
        )

    @property
    def engine(self) -> Engine:
        return self.host.preferred

    @property
    def pid(self) -> int:
        (pid,) = self.host.processes
        return pid

    def speak(self, text: str = "hello", control: NotingControl | None = None) -> float:
        caches = SessionCaches(ANNA, self.ledger)
        asked = request(text)
        return self.engine.synthesize(asked, caches, control or NotingControl()).duration_s

    def tell(self, file: str, step: str) -> None:
        (self.folder / file).write_text(step, "utf-8")

    def assert_nothing_is_left(self) -> None:
        """See that the process has gone with all that it kept, and that the next one works."""
        assert self.host.processes == {}
        assert not self.engine.loaded
        assert self.ledger.snapshot().entries == ()
        for file in (ON_LOAD, ON_RELEASE):
            (self.folder / file).unlink(missing_ok=True)
        assert self.speak() > 0
        assert self.engine.loaded


@pytest.fixture
def rig(request, tmp_path) -> Iterator[Rig]:
    stopped = "SIGSTOP" in request.node.name or "stopped" in request.node.name
    made = Rig(tmp_path / "outputs", SOON_S if stopped else Patience().hung_s)
    yield made
    made.host.close(idle=True)


def one_sentence(error: GLMTTSError, key: str) -> None:
    assert error.message.key == key
    assert isinstance(error, EngineProcessError)
    for language in LANGUAGES:
        words = error.text(language)
        assert NAME in words
        assert "Traceback" not in words and "\n" not in words


@pytest.mark.parametrize(("end", "key"), ENDS.items())
def test_an_end_amid_a_synthesis(rig, end, key):
    rig.speak("keep:red")
    with pytest.raises(EngineProcessError) as ended:
        rig.speak(end)
    one_sentence(ended.value, key)
    rig.assert_nothing_is_left()


@pytest.mark.parametrize(("end", "key"), ENDS.items())
def test_an_end_amid_loading(rig, end, key):
    rig.tell(ON_LOAD, end)
    with pytest.raises(EngineProcessError) as ended:
        rig.engine.load(NotingControl())
    one_sentence(ended.value, key)
    rig.assert_nothing_is_left()


@pytest.mark.parametrize(("end", "key"), ENDS.items())
def test_an_end_amid_a_cleanup(rig, end, key):
    rig.speak("keep:red")
    rig.tell(ON_RELEASE, end)
    with pytest.raises(EngineProcessError) as ended:
        rig.host.release(TRIM)
    one_sentence(ended.value, key)
    rig.assert_nothing_is_left()


@pytest.mark.parametrize("end", SOME_ENDS)
def test_an_end_while_garbage_is_collected_is_no_error(rig, end):
    rig.speak(f"trap:{end.replace(':', '=')}")
    rig.host.allocator("cpu").give_back()
    rig.assert_nothing_is_left()


@pytest.mark.parametrize("end", SOME_ENDS)
def test_an_end_amid_a_cleanup_at_a_safe_point_ends_the_job(rig, end):
    rig.engine.load(NotingControl())
    rig.tell(ON_RELEASE, end)
    control = NotingControl()
    refusals = []

    def trim() -> None:
        try:
            rig.host.release(TRIM)
        except EngineProcessError as error:
            refusals.append(error)

    control.tasks = [trim]
    with pytest.raises(EngineProcessError) as ended:
        rig.speak("hello", control)
    assert [each.message for each in refusals] == [ended.value.message]
    rig.assert_nothing_is_left()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGTERM])
def test_an_end_while_nothing_is_done_is_noticed_and_disturbs_nobody(rig, number):
    rig.speak("keep:red")
    os.kill(rig.pid, number)
    wait_until(lambda: rig.host.processes == {})
    rig.assert_nothing_is_left()


def test_a_process_that_is_stopped_while_it_is_idle_is_found_out_by_the_next_job(rig):
    rig.speak()
    os.kill(rig.pid, signal.SIGSTOP)
    with pytest.raises(EngineProcessError) as ended:
        rig.speak()
    one_sentence(ended.value, "engine.process_hung")
    rig.assert_nothing_is_left()


def test_a_process_that_is_stopped_is_ended_with_the_program(rig):
    rig.speak()
    os.kill(rig.pid, signal.SIGSTOP)
    rig.host.close(idle=True)
    assert rig.host.processes == {}


def test_unloading_ends_the_process_and_nobody_calls_that_a_fault(rig, caplog):
    rig.speak("keep:red")
    rig.host.release(UNLOAD)
    rig.assert_nothing_is_left()
    assert caplog.records == []


@pytest.mark.parametrize("step", ["deaf:", "kill:SIGSTOP"])
def test_a_job_that_does_not_heed_its_cancellation_is_ended_with_its_process(rig, step):
    rig.engine.load(NotingControl())
    control = NotingControl()
    if step == "deaf:":
        with once_it_waits(rig.folder, control.cancel.cancel), pytest.raises(SynthesisCancelled):
            rig.speak(step, control)
    else:
        control.tasks = [lambda: threading.Timer(0.1, control.cancel.cancel).start()]
        with pytest.raises(SynthesisCancelled):
            rig.speak(step, control)
    rig.assert_nothing_is_left()


def test_a_job_that_is_cancelled_while_its_process_starts_ends_at_once(rig):
    control = NotingControl()
    threading.Timer(0.2, control.cancel.cancel).start()
    with pytest.raises(SynthesisCancelled):
        rig.engine.load(control)
    rig.assert_nothing_is_left()


def test_a_cancellation_that_comes_too_late_does_not_end_the_next_job(rig):
    rig.engine.load(NotingControl())
    (rig.folder / HOLD).touch()
    # as from a page whose click overlaps with the end of the job
    rig.engine.process._watch.cancel(0)
    timer = threading.Timer(CANCEL_S * 2, (rig.folder / HOLD).unlink)
    timer.start()
    assert rig.speak("hold:") > 0
    timer.join()


def test_a_process_whose_job_has_heeded_its_cancellation_lives_on(rig):
    rig.engine.load(NotingControl())
    control, pid = NotingControl(), rig.pid
    (rig.folder / HOLD).touch()
    with once_it_waits(rig.folder, control.cancel.cancel), pytest.raises(SynthesisCancelled):
        rig.speak("hold:", control)
    (rig.folder / HOLD).unlink(missing_ok=True)
    time.sleep(CANCEL_S * 2)
    assert rig.speak() > 0
    assert rig.pid == pid


@pytest.mark.parametrize("step", ["spawn:", "fork:"])
@pytest.mark.parametrize("end", ["kill:SIGKILL", "exit:0"])
def test_what_an_engine_has_started_ends_with_it(rig, step, end):
    rig.engine.load(NotingControl())
    with pytest.raises(EngineProcessError) as ended:
        rig.speak(f"{step} {end}")
    one_sentence(ended.value, "engine.process_ended")
    grandchild = int((rig.folder / GRANDCHILD).read_text())
    wait_until(lambda: not psutil.pid_exists(grandchild))
    rig.assert_nothing_is_left()


@pytest.mark.parametrize("step", ["spawn:", "fork:"])
def test_what_an_engine_has_started_ends_when_it_is_unloaded(rig, step):
    rig.speak(step)
    grandchild = int((rig.folder / GRANDCHILD).read_text())
    rig.host.release(UNLOAD)
    wait_until(lambda: not psutil.pid_exists(grandchild))


def test_what_libraries_print_disturbs_nothing(rig):
    assert rig.speak("output:") > 0
    pid = rig.pid
    assert rig.speak("shape:5") > 0
    assert rig.pid == pid


def test_an_engine_that_cannot_be_made_leaves_no_process(tmp_path):
    settings = Settings(_env_file=None, device="cpu", output_dir=tmp_path)
    order = type(ORDER)("tests.engines.host.remote_scripted:Missing")
    with pytest.raises(GLMTTSError) as refused:
        ProcessHost(settings, Ledger(), [order], lambda _: None)
    assert "Missing" in refused.value.text("en")


@pytest.mark.parametrize("counted", [True, False])
def test_only_a_kill_that_the_kernel_counts_is_for_want_of_memory(rig, monkeypatch, counted):
    rig.engine.load(NotingControl())
    monkeypatch.setattr(process_end, "oom_kills", lambda: 1 if counted else 0)
    with pytest.raises(OutOfMemoryError if counted else EngineProcessError) as ended:
        rig.speak("kill:SIGKILL")
    assert ended.value.message.key == (
        "engine.process_out_of_memory" if counted else "engine.process_ended"
    )


# -- a program that is stopped, and one that ends ----------------------------------------------

_PROGRAM = f"""
import sys
from pathlib import Path
from tests.engines.host.controls import NotingControl
from tests.engines.host.test_death import Rig
rig = Rig(Path(sys.argv[1]))
phase = sys.argv[2]
if phase != "load":
    rig.engine.load(NotingControl())
print("ready", flush=True)
if phase == "load":
    rig.tell({ON_LOAD!r}, "hold:")
    rig.engine.load(NotingControl())
elif phase == "speech":
    print(rig.speak("quiet:"), flush=True)
elif phase == "native":
    rig.speak("deaf:")
sys.stdin.read()
"""


class Program:
    """Another program with a host, which is doing something."""

    def __init__(self, folder: Path, phase: str) -> None:
        (folder / HOLD).touch()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(folder), phase],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PROGRAM_DIR,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        if phase != "idle":
            wait_until((folder / WAITS).exists)
        (self.child,) = (each.pid for each in psutil.Process(self.process.pid).children())

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.mark.parametrize("phase", ["load", "speech", "native", "idle"])
@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_a_program_that_is_killed_takes_its_engines_with_it(tmp_path, phase, stopped):
    with closing(Program(tmp_path, phase)) as program:
        if stopped:
            os.kill(program.child, signal.SIGSTOP)
        assert psutil.pid_exists(program.child)
        program.process.kill()
        wait_until(lambda: not psutil.pid_exists(program.child))


def test_a_program_that_was_stopped_for_long_goes_on_with_its_job(tmp_path):
    with closing(Program(tmp_path, "speech")) as program:
        program.process.send_signal(signal.SIGSTOP)
        # longer than an engine may be silent
        threading.Event().wait(SOON_S * 1.5)
        (tmp_path / HOLD).unlink()
        program.process.send_signal(signal.SIGCONT)
        assert program.process.stdout is not None
        assert float(program.process.stdout.readline()) > 0
        assert psutil.pid_exists(program.child)
