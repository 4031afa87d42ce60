"""Starting a process of this program, and getting rid of it: it, its children, and its handles."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from glmtts_core.engines.host.lifeline import VARIABLE
from glmtts_core.errors import EngineError
from glmtts_core.places import PACKAGE_DIR
from glmtts_core.settings import PREFIX

_TOKEN: Final = PREFIX + "API_TOKEN"
_COMMAND: Final = (sys.executable, "-m", "glmtts_core.engines.host.child")
#: Seconds that a process which has closed its connection gets to end by itself.
_ENDING_S: Final = 2.0
#: Seconds for which a process that was killed is waited for.
_KILLED_S: Final = 10.0
_log = logging.getLogger(__name__)


class StartedProcess:
    """A process in a group of its own, that the kernel ends with ours.

    Attributes:
        input: handle for what it is told; who uses it closes it.
        output: handle of what it tells; the same.
        pid: of the process.
        killed: whether `kill` has ended it.

    Raises:
        EngineError: it cannot be started.
    """

    def __init__(self) -> None:
        try:
            self._process, self._lifeline = start_attached(_COMMAND)
        except OSError as error:
            raise EngineError(
                "engine.process_not_started", reason=error.strerror or error
            ) from error
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        self.input, self.output = os.dup(stdin.fileno()), os.dup(stdout.fileno())
        stdin.close()
        stdout.close()
        self.pid = self._process.pid
        self.killed = False

    def kill(self) -> None:
        """End it and its children at once; nothing happens where it has ended."""
        if self._process.poll() is None:
            self.killed = True
            kill_group(self.pid)

    def end_what_is_left(self) -> None:
        """Where it has ended, end its children: they may hold its connection open."""
        if self._process.poll() is not None:
            kill_group(self.pid)

    def reap(self) -> int:
        """Wait for the end of one that has closed its connection; return its exit code.

        What its children still do ends too.
        """
        try:
            self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            self.kill()
            self._wait_for_the_killed()
        kill_group(self.pid)
        os.close(self._lifeline)
        code = self._process.returncode
        return -signal.SIGKILL if code is None else code

    def _wait_for_the_killed(self) -> None:
        try:
            self._process.wait(_KILLED_S)
        except subprocess.TimeoutExpired:
            # it hangs in a driver; everything else is to go on
            _log.error("the killed process %d does not end", self.pid)


def start_attached(
    command: Sequence[str], stderr: int | None = None
) -> tuple[subprocess.Popen[bytes], int]:
    """Start a part of this program in a group of its own, with pipes to and from it.

    Args:
        command: starts it; it calls `end_with_parent` first.
        stderr: as `subprocess.Popen` takes it; None is ours.

    Returns:
        The process, and the handle whose closing ends it.

    Raises:
        OSError: it cannot be started.
    """
    lifeline, held = os.pipe()
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            bufsize=0,
            # where the package is found, installed or not
            cwd=PACKAGE_DIR.parent,
            env=_environment(lifeline),
            pass_fds=(lifeline,),
            # neither a key in the terminal nor its closing reaches it
            start_new_session=True,
        )
    except OSError:
        os.close(held)
        raise
    finally:
        os.close(lifeline)
    return process, held


def kill_group(pid: int) -> None:
    """End a group of processes at once; nothing happens where it has ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _environment(lifeline: int) -> dict[str, str]:
    """Return our environment without the token, which an engine has no use for."""
    ours = {name: value for name, value in os.environ.items() if name.upper() != _TOKEN}
    return {**ours, VARIABLE: str(lifeline)}
