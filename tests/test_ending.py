"""A signal ends what runs within five seconds: in order where there is something to keep."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from glmtts_core.batch.states import RunState
from glmtts_core.batch.store import RunStore
from glmtts_core.cli.main import main
from tests.browser.app import ROOT, STOP_S, free_port
from tests.scripted_engine import ScriptedEngine
from tests.waiting import BOUND_S

pytestmark = pytest.mark.process

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
BATCH = ["batch", "in.jsonl", "--out", "out"]


@pytest.fixture(autouse=True)
def lines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLMTTS_DEVICE", "cpu")
    monkeypatch.setenv("GLMTTS_OUTPUT_DIR", str(tmp_path / "outputs"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    Path("in.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n')


@contextmanager
def started(*command: str, **more) -> Iterator[subprocess.Popen[str]]:
    """Run a process in a group of its own, and end it in the end."""
    arguments = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **more}
    arguments.setdefault("stderr", subprocess.PIPE)
    with subprocess.Popen(command, text=True, start_new_session=True, **arguments) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def speaking(hold: str, *command: str, **more) -> Iterator[subprocess.Popen[str]]:
    """Run a command until it speaks."""
    child = [sys.executable, "-m", "tests.ending_child", hold, *command]
    with started(*child, **more) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "speaking\n"
        yield process


def end_of(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return code and standard error of a process that must end in time."""
    _, told = process.communicate(timeout=STOP_S)
    return process.returncode, told


def state_of(folder: Path) -> RunState:
    with closing(RunStore(folder)) as store:
        return store.database.state()


def scratch_folders() -> list[Path]:
    return list(Path().glob("glm-tts-scratch-*"))


@pytest.mark.parametrize("number", SIGNALS)
def test_a_batch_that_is_told_to_end_can_be_carried_on(number):
    with speaking("stops", *BATCH) as process:
        process.send_signal(number)
        code, told = end_of(process)
    assert (code, "--resume" in told, "Traceback" in told) == (130, True, False)
    assert state_of(Path("out")) is RunState.INTERRUPTED
    assert scratch_folders() == []
    assert main([*BATCH, "--resume"], ScriptedEngine) == 0


@pytest.mark.parametrize("number", SIGNALS)
def test_a_text_that_is_told_to_end_leaves_no_file(number):
    with speaking("stops", "say", "hello", "--out", "x.wav") as process:
        process.send_signal(number)
        code, told = end_of(process)
    assert (code, "cancelled" in told, Path("x.wav").exists()) == (130, True, False)
    assert scratch_folders() == []


@pytest.mark.parametrize("number", SIGNALS)
def test_a_self_check_that_is_told_to_end_ends_without_a_traceback(number):
    with speaking("stops", "doctor") as process:
        process.send_signal(number)
        assert end_of(process) == (130, "")
    assert scratch_folders() == []


def test_what_does_not_stop_is_ended_in_time():
    with speaking("never", *BATCH) as process:
        process.send_signal(signal.SIGTERM)
        assert end_of(process)[0] == 128 + signal.SIGTERM
    assert main([*BATCH, "--resume"], ScriptedEngine) == 0


def test_a_second_signal_ends_at_once():
    with speaking("never", *BATCH) as process:
        process.send_signal(signal.SIGTERM)
        began_s = time.monotonic()
        while process.poll() is None and time.monotonic() < began_s + 2.0:
            process.send_signal(signal.SIGINT)
        assert process.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)


def test_a_closed_terminal_ends_a_batch_in_order():
    ours, theirs = pty.openpty()
    child = [sys.executable, "-m", "tests.ending_child", "stops", *BATCH]
    # without a shell between: the terminal becomes the controlling one of the new session
    preparing = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    preparing += "os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", preparing, *child]
    ends = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    with started(*command, **ends) as process:
        os.close(theirs)
        told = b""
        while b"speaking" not in told:
            told += os.read(ours, 1024)
        os.close(ours)
        assert process.wait(STOP_S) == 130
    assert state_of(Path("out")) is RunState.INTERRUPTED
    assert Path("out/manifest.jsonl").exists()


def test_what_was_started_with_nohup_goes_on_when_the_terminal_closes():
    ignoring = "trap '' HUP; exec \"$@\""
    child = [sys.executable, "-m", "tests.ending_child", "stops", *BATCH]
    with started("bash", "-c", ignoring, "bash", *child) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "speaking\n"
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.0)
        process.send_signal(signal.SIGTERM)
        assert end_of(process)[0] == 130


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("after_s", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("command", ["say", "check"])
def test_a_command_can_be_ended_while_it_imports(number, after_s, command):
    more = ["hello", "--out", "x.wav"] if command == "say" else []
    script = str(ROOT / "glmtts_inference.py")
    with started(sys.executable, script, command, *more) as process:
        ended_by_itself = _ends_within(process, after_s)
        process.send_signal(number)
        code, told = end_of(process)
    # Python's own start, before a line of ours can be reached, tells of a Ctrl+C, or ends with 1
    assert "glmtts_core/cli" not in told
    assert ended_by_itself or code in (-number, 130) or "init_import_site" in told


def _ends_within(process: subprocess.Popen[str], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


# -- the app -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("after_s", [0.1, 1.0, 2.0, 3.0, 4.0])
def test_the_app_can_be_ended_while_it_starts(number, after_s, monkeypatch):
    monkeypatch.setenv("GLMTTS_VENV", sys.prefix)
    command = ["bash", str(ROOT / "start_app.sh"), "--no-install", "--port", str(free_port())]
    with started(*command, stdout=subprocess.DEVNULL) as process:
        assert not _ends_within(process, after_s)
        process.send_signal(number)
        code, told = end_of(process)
        assert "/streamlit/" not in told
        assert code in (-number, 128 + number, -signal.SIGTERM)
        _expect_nobody_left(process.pid)


def _expect_nobody_left(group: int) -> None:
    give_up_s = time.monotonic() + BOUND_S
    while time.monotonic() < give_up_s:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
    raise AssertionError("a process was left behind")
