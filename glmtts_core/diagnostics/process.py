"""Running one trial's child process: start it, read its messages, end it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from pydantic import ValidationError

from glmtts_core.diagnostics.trial import (
    CHILD_MESSAGE,
    ChildMessage,
    Cleaned,
    Ended,
    Failed,
    Loaded,
    Rested,
    Sampled,
    Spoken,
    Trial,
    TrialOrder,
)

#: Points of a trial's memory curve that are kept.
_POINTS: Final = 400
#: Bytes of standard error that are searched for the reason of an early end.
_STDERR_BYTES: Final = 4000
#: Seconds until a process that should end is killed.
_GONE_S: Final = 10.0


class TrialProcess:
    """One child process; `run` it once, from one thread, and `stop` it from any.

    Args:
        command: starts the child.
        order: what it is to do.
        repetition: from 1.
        on_spoken: called after each synthesis.
    """

    def __init__(
        self,
        command: Sequence[str],
        order: TrialOrder,
        repetition: int,
        on_spoken: Callable[[Spoken], None] = lambda _: None,
    ) -> None:
        self._command = list(command)
        self._order = order
        self._repetition = repetition
        self._on_spoken = on_spoken
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False
        self._loaded: Loaded | None = None
        self._rested: Rested | None = None
        self._spoken: list[Spoken] = []
        self._cleaned: list[Cleaned] = []
        self._points: list[tuple[float, int]] = []
        self._ended = False
        self._failure = ""

    def run(self) -> Trial:
        """Run the child to its end and return its results, complete or not."""
        started_s = time.monotonic()
        with tempfile.TemporaryFile() as errors:
            process = self._start(errors)
            if process is not None:
                self._talk(process)
                self._explain(process.returncode, errors)
        return Trial(
            arm_id=self._order.arm.id,
            repetition=self._repetition,
            wall_s=time.monotonic() - started_s,
            batch_lines=self._order.workload.batch,
            loaded=self._loaded,
            spoken=tuple(self._spoken),
            cleaned=tuple(self._cleaned),
            rested=self._rested,
            samples=_thinned(self._points),
            failure=self._failure,
        )

    def stop(self) -> None:
        """End the child at once; `run` then returns."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is not None and process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _start(self, errors: IO[bytes]) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._stopped:
                return None
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                cwd=Path(__file__).resolve().parents[2],
                # a group of its own, so that nothing of it outlives a stop
                start_new_session=True,
            )
            return self._process

    def _talk(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None and process.stdout is not None
        try:
            # left open: the child ends when it closes, and so when this program does
            process.stdin.write(self._order.model_dump_json() + "\n")
            process.stdin.flush()
            for line in process.stdout:
                self._take(CHILD_MESSAGE.validate_json(line))
        except (BrokenPipeError, ValidationError) as error:
            self._failure = f"{type(error).__name__}: {error}"
            self.stop()
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.stdout.close()
            try:
                process.wait(_GONE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _take(self, message: ChildMessage) -> None:
        match message:
            case Loaded():
                self._loaded = message
            case Spoken():
                self._spoken.append(message)
                self._on_spoken(message)
            case Cleaned():
                self._cleaned.append(message)
            case Rested():
                self._rested = message
            case Sampled():
                self._points.extend(message.points)
            case Ended():
                self._ended = True
            case Failed():
                self._failure = message.reason

    def _explain(self, exit_code: int, errors: IO[bytes]) -> None:
        if self._ended or self._failure:
            return
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - _STDERR_BYTES))
        lines = errors.read().decode(errors="replace").strip().splitlines()
        self._failure = f"exit code {exit_code}" + (f": {lines[-1]}" if lines else "")


def _thinned(points: Sequence[tuple[float, int]]) -> tuple[tuple[float, int], ...]:
    """Return at most `_POINTS` points: of each group the highest, so that no peak is lost."""
    step = -(-len(points) // _POINTS) or 1
    groups = [points[start : start + step] for start in range(0, len(points), step)]
    return tuple(max(group, key=lambda point: point[1]) for group in groups)
