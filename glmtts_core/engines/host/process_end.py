"""How an engine's process has ended, and what that means for the job that it had."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from glmtts_core.errors import EngineProcessError, GLMTTSError, ProcessOutOfMemoryError
from glmtts_core.memory.oom_kills import oom_kills
from glmtts_core.message import Message


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """How a process has ended.

    Attributes:
        exit_code: negative for a signal, as `subprocess` has it.
        wanted: whether this program ended it on purpose.
        hung: whether it was ended because it gave no sign of life.
        spoilt_by: the error after which it could do nothing any more, if it was ended for that.
        killed_by_others: whether a SIGKILL that is not ours ended it.
        out_of_memory: whether the kernel has counted an end for want of memory meanwhile; None
            where it does not count.
    """

    exit_code: int
    wanted: bool = False
    hung: bool = False
    spoilt_by: Message | None = None
    killed_by_others: bool = False
    out_of_memory: bool | None = False

    def error(self, engine: str) -> GLMTTSError:
        """Return the error of the job that it had."""
        if self.killed_by_others and self.out_of_memory is not False:
            if self.out_of_memory is None:
                return ProcessOutOfMemoryError(
                    "engine.process_probably_out_of_memory", engine=engine
                )
            return ProcessOutOfMemoryError("engine.process_out_of_memory", engine=engine)
        if self.spoilt_by is not None:
            return EngineProcessError("engine.process_spoilt", engine=engine, reason=self.spoilt_by)
        if self.wanted:
            return EngineProcessError("engine.process_stopped", engine=engine)
        if self.hung:
            return EngineProcessError("engine.process_hung", engine=engine)
        return EngineProcessError("engine.process_ended", engine=engine, how=self._how())

    def _how(self) -> Message:
        if self.exit_code >= 0:
            return Message("engine.process_exit_code", {"code": self.exit_code})
        try:
            name = signal.Signals(-self.exit_code).name
        except ValueError:
            name = str(-self.exit_code)
        return Message("engine.process_signal", {"name": name})


def end_of(
    exit_code: int,
    *,
    wanted: bool,
    hung: bool,
    spoilt_by: Message | None,
    killed: bool,
    oom_kills_before: int | None,
) -> ProcessEnd:
    """Return how a process has ended; ``killed`` says that this program has sent the SIGKILL.

    Only the kernel sends SIGKILL when memory has run out, and it counts how often; where it does
    not count, a SIGKILL that is not ours probably comes from there.
    """
    now = oom_kills()
    counted = None if now is None or oom_kills_before is None else now > oom_kills_before
    by_others = exit_code == -signal.SIGKILL and not killed
    return ProcessEnd(
        exit_code, wanted, hung, spoilt_by, killed_by_others=by_others, out_of_memory=counted
    )
