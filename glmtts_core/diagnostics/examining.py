"""Examines a trial's sounds in a process of its own.

What rates them takes a library that would stay in the memory of the process with the pages.
``python -m glmtts_core.diagnostics.examining FOLDER`` takes the trial and gives it back as JSON.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from glmtts_core.diagnostics.trial import Trial
from glmtts_core.engines.base import CancelToken
from glmtts_core.engines.host.lifeline import end_with_parent
from glmtts_core.engines.host.started import kill_group, start_attached
from glmtts_core.errors import DiagnosticsError, GLMTTSError

#: Examines a trial whose files lie in a folder, until it is cancelled.
Examine = Callable[[Trial, Path, CancelToken], Trial]
COMMAND: Final = (sys.executable, "-m", "glmtts_core.diagnostics.examining")


def examined_in_own_process(trial: Trial, folder: Path, cancel: CancelToken) -> Trial:
    """Return the trial as `trial_quality.examined` does, from a process that ends with it.

    Args:
        trial: whose files lie in ``folder``.
        folder: the trial's own.
        cancel: ends the process at once.

    Raises:
        SynthesisCancelled: it was cancelled.
        DiagnosticsError: the process has failed.
    """
    told = trial.model_dump_json().encode()
    try:
        with (
            _started(folder) as process,
            cancel.interrupting(lambda: _kill(process)),
        ):
            answer, errors = process.communicate(told)
    except OSError as error:
        raise DiagnosticsError("laboratory.not_examined", reason=error.strerror or error) from error
    cancel.raise_if_cancelled()
    try:
        if process.returncode == 0:
            return Trial.model_validate_json(answer)
        reason = _last_line(errors) or f"exit code {process.returncode}"
    except ValidationError as error:
        reason = str(error)
    raise DiagnosticsError("laboratory.not_examined", reason=reason)


@contextmanager
def _started(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the process; it ends with the block, and with this program."""
    process, lifeline = start_attached([*COMMAND, str(folder.resolve())], subprocess.PIPE)
    try:
        with process:
            try:
                yield process
            finally:
                _kill(process)
    finally:
        os.close(lifeline)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it and its children; nothing happens where it has ended."""
    if process.poll() is None:
        kill_group(process.pid)


def _last_line(errors: bytes) -> str:
    lines = errors.decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def main() -> None:
    """Examine the trial on standard input, whose files lie in the folder of the argument."""
    end_with_parent()
    told = sys.stdin.buffer.read()
    answer = os.dup(1)
    # what libraries print goes to standard error
    os.dup2(2, 1)
    from glmtts_core.diagnostics.trial_quality import examined

    try:
        trial = examined(Trial.model_validate_json(told), Path(sys.argv[1]))
    except (GLMTTSError, OSError) as error:
        sys.exit(str(error))
    with os.fdopen(answer, "wb") as stream:
        stream.write(trial.model_dump_json().encode())


if __name__ == "__main__":
    main()
