"""Starting a process of this program, and getting rid of it: it, its children, and its handles."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Final

from glmtts_core.engines.host.lifeline import VARIABLE
from glmtts_core.errors import EngineError
from glmtts_core.places import PROGRAM_DIR

_MODULE: Final = "glmtts_core.engines.host.child"
#: Seconds that a process which has closed its connection gets to end by itself.
_ENDING_S: Final = 2.0


class StartedProcess:
    """A process in a group of its own, that the kernel ends with ours.

    Attributes:
        input: handle for what it is told; who uses it closes it.
        output: handle of what it tells; the same.
        pid: of the process.

    Raises:
        EngineError: it cannot be started.
    """

    def __init__(self) -> None:
        lifeline, self._lifeline = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                cwd=PROGRAM_DIR,
                env={**os.environ, VARIABLE: str(lifeline)},
                pass_fds=(lifeline,),
                # neither a key in the terminal nor its closing reaches it
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._lifeline)
            raise EngineError(
                "engine.process_not_started", reason=error.strerror or error
            ) from error
        finally:
            os.close(lifeline)
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        self.input, self.output = os.dup(stdin.fileno()), os.dup(stdout.fileno())
        stdin.close()
        stdout.close()
        self.pid = self._process.pid

    def kill(self) -> None:
        """End it and its children at once; nothing happens where it has ended."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def reap(self) -> int:
        """Wait for the end of one that has closed its connection; return its exit code.

        What its children still do ends too.
        """
        try:
            self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        os.close(self._lifeline)
        return self._process.returncode
