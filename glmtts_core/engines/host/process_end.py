"""How an engine's process has ended, and what that means for the job that it had."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from glmtts_core.errors import EngineProcessError, GLMTTSError, OutOfMemoryError
from glmtts_core.memory.oom_kills import oom_kills


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """How a process has ended.

    Attributes:
        exit_code: negative for a signal, as `subprocess` has it.
        wanted: whether this program ended it on purpose.
        hung: whether it was ended because it gave no sign of life.
        out_of_memory: whether the kernel ended it because memory ran out.
    """

    exit_code: int
    wanted: bool = False
    hung: bool = False
    out_of_memory: bool = False

    def error(self, engine: str) -> GLMTTSError:
        """Return the error of the job that it had."""
        if self.out_of_memory:
            return OutOfMemoryError("engine.process_out_of_memory", engine=engine)
        if self.wanted:
            return EngineProcessError("engine.process_stopped", engine=engine)
        if self.hung:
            return EngineProcessError("engine.process_hung", engine=engine)
        return EngineProcessError("engine.process_ended", engine=engine, how=self._how())

    def _how(self) -> str:
        if self.exit_code >= 0:
            return f"exit code {self.exit_code}"
        try:
            return signal.Signals(-self.exit_code).name
        except ValueError:
            return f"signal {-self.exit_code}"


def end_of(exit_code: int, *, wanted: bool, hung: bool, oom_kills_before: int | None) -> ProcessEnd:
    """Return how a process has ended.

    Only the kernel sends SIGKILL when memory has run out, and it counts how often; where it does
    not count, a SIGKILL that is not ours is taken for that.
    """
    killed = exit_code == -signal.SIGKILL and not wanted and not hung
    now = oom_kills()
    counted = now is None or oom_kills_before is None or now > oom_kills_before
    return ProcessEnd(exit_code, wanted, hung, out_of_memory=killed and counted)
