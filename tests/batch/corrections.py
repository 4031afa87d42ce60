"""A correction taken in by a process of its own, which dies before its n-th change of the disk."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from glmtts_core.cli.main import main
from tests.forked import forked
from tests.parts import BOUND_S
from tests.scripted_engine import CloningEngine

#: Audit events of the interpreter that change names on the disk.
_CHANGES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"})


def changes_disk(event: str, arguments: tuple[object, ...], folder: str) -> bool:
    """Whether an audit event is about to change something under ``folder``."""
    if event == "open":
        path, _, flags = arguments
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        return bool(writes) and str(path).startswith(folder)
    return event in _CHANGES and any(str(each).startswith(folder) for each in arguments)


def die_before(change: int, folder: Path) -> None:
    """Have this process killed before it changes ``folder`` for the ``change``-th time, from 1."""
    seen = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if changes_disk(event, arguments, f"{folder}"):
            seen += 1
            if seen == change:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def _command(folder: Path, change: int, arguments: Sequence[str]) -> None:
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ["GLMTTS_DEVICE"] = "cpu"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        die_before(change, folder)
        sys.exit(main(["batch", *arguments], CloningEngine))


def killed_command(folder: Path, change: int, *arguments: str) -> bool:
    """Run ``batch`` with these arguments; tell whether it was killed before it came to its end."""
    process = forked(_command, folder, change, arguments)
    process.join(BOUND_S)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0
