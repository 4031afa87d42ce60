"""A forked process is like a started one, and has its imports already."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from tests.forked import forked, run_python

pytestmark = pytest.mark.process
_BOUND_S = 60.0


def _run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run_python(*command, environment={**os.environ, **variables}, timeout_s=_BOUND_S)


def test_it_has_its_imports_already_and_sees_the_environment_that_it_is_given():
    program = "import os, sys; print('torch' in sys.modules, os.environ['WORD'])"
    ran = _run("-c", program, WORD="heard")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "True heard\n", "")


@pytest.mark.parametrize(
    ("program", "code", "told"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('no')", 1, "no\n"),
        ("import os; os.write(2, b'raw'); os._exit(4)", 4, "raw"),
        ("import atexit, sys; atexit.register(print, 'bye', file=sys.stderr)", 0, "bye\n"),
    ],
)
def test_its_end_is_told(program, code, told):
    ran = _run("-c", program)
    assert (ran.returncode, ran.stderr) == (code, told)


def test_an_error_is_told_with_its_traceback():
    ran = _run("-c", "1 / 0")
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"


def test_what_takes_too_long_is_killed():
    with pytest.raises(subprocess.TimeoutExpired):
        run_python("-c", "while True: pass", environment=os.environ, timeout_s=0.5)


def test_it_can_be_killed():
    process = forked(time.sleep, 100)
    process.kill()
    process.join(_BOUND_S)
    assert process.exitcode == -9
