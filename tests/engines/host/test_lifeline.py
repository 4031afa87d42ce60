"""The end of a process with the one that has started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest

from glmtts_core.engines.host.lifeline import ALONE, VARIABLE
from glmtts_core.places import PROGRAM_DIR
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="the pipe's signal is Linux's"),
]

_CHILD = """
import time
from glmtts_core.engines.host.lifeline import end_with_parent
end_with_parent()
print("ready", flush=True)
while True:
    time.sleep(60)
"""
#: Starts such a child, tells its pid, and waits for ever.
_PARENT = f"""
import os, subprocess, sys, time
reading, writing = os.pipe()
child = subprocess.Popen(
    [sys.executable, "-c", {_CHILD!r}],
    stdout=subprocess.PIPE, env={{**os.environ, {VARIABLE!r}: str(reading)}}, pass_fds=(reading,),
    start_new_session=True,
)
child.stdout.readline()
print(child.pid, flush=True)
while True:
    time.sleep(60)
"""


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_with_its_parent_even_while_it_is_stopped(stopped, end):
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, cwd=PROGRAM_DIR
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        if stopped:
            os.kill(child, signal.SIGSTOP)
            wait_until(lambda: psutil.Process(child).status() == psutil.STATUS_STOPPED)
        assert not gone(child)
        parent.send_signal(end)
        parent.wait()
        wait_until(lambda: gone(child))


def test_a_child_whose_parent_has_gone_before_it_looked_ends_too():
    reading, writing = os.pipe()
    os.close(writing)
    ran = subprocess.run(
        [sys.executable, "-c", _CHILD],
        env={**os.environ, VARIABLE: str(reading)},
        pass_fds=(reading,),
        cwd=PROGRAM_DIR,
        timeout=60,
        check=False,
    )
    os.close(reading)
    assert ran.returncode == ALONE


def test_a_process_without_a_lifeline_goes_on():
    code = "from glmtts_core.engines.host.lifeline import end_with_parent as e; e(); print('on')"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PROGRAM_DIR, check=True
    )
    assert ran.stdout == "on\n"


def test_the_lifelines_name_does_not_reach_what_the_child_starts():
    code = (
        "import os; from glmtts_core.engines.host.lifeline import end_with_parent as e; e(); "
        f"print({VARIABLE!r} in os.environ)"
    )
    reading, writing = os.pipe()
    try:
        ran = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            cwd=PROGRAM_DIR,
            check=True,
            env={**os.environ, VARIABLE: str(reading)},
            pass_fds=(reading,),
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert ran.stdout == "False\n"
