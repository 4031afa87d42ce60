"""An engine's own process: ``python -m glmtts_core.engines.host.child``.

Takes commands on standard input and tells what happens on standard output (`protocol`). It ends
with the process that has started it, however that ends.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from glmtts_core.audio import Samples
from glmtts_core.engines.base import CancelToken
from glmtts_core.engines.host.child_work import ChildWork
from glmtts_core.engines.host.lifeline import ALONE, end_with_parent
from glmtts_core.engines.host.link import Link
from glmtts_core.engines.host.protocol import (
    COMMAND,
    Answered,
    Ask,
    Cancel,
    Command,
    Load,
    Open,
    Synthesize,
)

#: Where memory runs out, the kernel is to end this process before the one with the pages.
_OOM_SCORE: Final = "500"
_log = logging.getLogger(__name__)

#: A command, its arrays and, for a job, how it is cancelled.
Received = tuple[Command, list[Samples], CancelToken]


class Inbox:
    """Reads commands in a thread of its own; what cannot wait is done there.

    Args:
        link: where they come from.
        answer: answers a question.
    """

    def __init__(self, link: Link[Command], answer: Callable[[Ask], Any]) -> None:
        self._link = link
        self._answer = answer
        self._commands: queue.SimpleQueue[Received] = queue.SimpleQueue()
        self._job: int | None = None
        self._cancel = CancelToken()

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, name="commands", daemon=True).start()

    def next(self) -> Received:
        """Wait for the next command."""
        return self._commands.get()

    def _read(self) -> None:
        # whatever ends this loop, nobody could tell the process to end any more
        try:
            while True:
                command, arrays = self._link.receive()
                self._take(command, arrays)
        except (EOFError, OSError):
            os._exit(ALONE)
        except BaseException:  # noqa: BLE001
            faulthandler.dump_traceback()
            os._exit(ALONE)

    def _take(self, command: Command, arrays: list[Samples]) -> None:
        if isinstance(command, Ask) and command.question.slow:
            threading.Thread(
                target=self._reply, args=(command,), name="answer", daemon=True
            ).start()
        elif isinstance(command, Ask):
            self._reply(command)
        elif isinstance(command, Cancel):
            if command.job == self._job:
                self._cancel.cancel()
        else:
            if isinstance(command, Load | Synthesize):
                self._job, self._cancel = command.job, CancelToken()
            self._commands.put((command, arrays, self._cancel))

    def _reply(self, ask: Ask) -> None:
        try:
            value = self._answer(ask)
        except Exception:  # noqa: BLE001 - what cannot be answered does not end the engine
            _log.exception("the question %s cannot be answered", ask.question)
            value = None
        self._link.send(Answered(number=ask.number, value=value))


def main() -> None:
    """Serve until the other side has gone."""
    faulthandler.enable()
    end_with_parent()
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    link = Link(*_take_standard_streams(), COMMAND)
    opened, _ = link.receive()
    if not isinstance(opened, Open):
        raise TypeError(f"{opened.kind} came before the engine was opened")
    work: ChildWork
    inbox = Inbox(link, lambda ask: work.answer(ask))

    def send(message: BaseModel, *arrays: Samples) -> None:
        link.send(message, arrays)

    work = ChildWork(opened, send, inbox.next)
    inbox.start()
    work.serve()


def _take_standard_streams() -> tuple[int, int]:
    """Keep both streams for messages: what libraries print goes to standard error."""
    handles = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return handles


if __name__ == "__main__":
    try:
        main()
    except (EOFError, OSError):
        os._exit(ALONE)
