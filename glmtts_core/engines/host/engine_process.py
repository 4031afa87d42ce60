"""An engine's process as the one that has started it sees it: talk to it, watch it, end it.

Knows nothing about what the engine does.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from glmtts_core.audio import Samples
from glmtts_core.engines.base import JobControl
from glmtts_core.engines.host.link import Link
from glmtts_core.engines.host.mirror import Mirror
from glmtts_core.engines.host.process_end import ProcessEnd, end_of
from glmtts_core.engines.host.process_watch import Patience, ProcessWatch
from glmtts_core.engines.host.protocol import (
    EVENT,
    Answered,
    Ask,
    AtSafePoint,
    Done,
    EngineFacts,
    Event,
    Failed,
    GoOn,
    Load,
    Open,
    Question,
    Reported,
    Spoken,
    Synthesize,
)
from glmtts_core.engines.host.started import StartedProcess
from glmtts_core.errors import GLMTTSError, SynthesisCancelled
from glmtts_core.memory.ledger import Ledger
from glmtts_core.memory.oom_kills import oom_kills
from glmtts_core.message import Message

#: Seconds that an answer may take; only questions that are answered beside the work are asked.
_ANSWER_S: Final = 5.0
_log = logging.getLogger(__name__)

Outcome = Done | Spoken | Failed
_Reply = tuple[Outcome | AtSafePoint | Reported, list[Samples]]


class EngineProcess:
    """One process; its engine works for one thread, questions may come from any.

    Args:
        name: the engine's, as shown.
        ledger: gets the engine's entries, and loses them with the process.
        on_end: called once, from a thread of its own, when the process has ended unasked.
        patience: how long the process is waited for.

    Raises:
        EngineError: the process cannot be started.
    """

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        on_end: Callable[[ProcessEnd], None],
        patience: Patience,
    ) -> None:
        self._name = name
        self._on_end = on_end
        self._oom_kills = oom_kills()
        self._started = StartedProcess()
        self._link: Link[Event] = Link(self._started.output, self._started.input, EVENT)
        self._replies: queue.SimpleQueue[_Reply | ProcessEnd] = queue.SimpleQueue()
        self._answers: dict[int, queue.SimpleQueue[Any]] = {}
        self._numbers = itertools.count(1)
        self._wanted = False
        self._spoilt_by: Message | None = None
        self._end: ProcessEnd | None = None
        self._over = threading.Event()
        #: What the engine has said of itself last; None before its first word.
        self.facts: EngineFacts | None = None
        self.mirror = Mirror(ledger)
        self._watch = ProcessWatch(name, self._started, self._link, self._over, patience)
        threading.Thread(target=self._listen, name=f"{name} listener", daemon=True).start()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._started.pid

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._over.is_set()

    # -- talking -------------------------------------------------------------------------------

    def call(
        self, command: BaseModel, *arrays: Samples, control: JobControl | None = None
    ) -> tuple[Done | Spoken, list[Samples]]:
        """Have a command carried out and wait for that; on the one thread of the engine.

        At the engine's safe points ``control`` may call this anew.

        Args:
            command: what to do.
            arrays: the samples that belong to it.
            control: of the job; None where the command is none.

        Raises:
            GLMTTSError: what the engine raised.
            SynthesisCancelled: the job was cancelled.
            EngineProcessError, OutOfMemoryError: the process has ended.
        """
        if control is not None:
            self._oom_kills = oom_kills()
        try:
            with self._watch.expecting(slow=isinstance(command, Open | Load)):
                self._send(command, *arrays)
                return self._carried_out(command, control)
        except _EndedError as ended:
            if control is not None and control.cancel.cancelled:
                raise SynthesisCancelled("engine.cancelled") from None
            raise ended.end.error(self._name) from None
        except GLMTTSError:
            raise
        except BaseException:
            # the next command would get this one's reply
            self.stop()
            raise

    def ask(self, question: Question, argument: str = "", timeout_s: float = _ANSWER_S) -> Any:
        """Ask something that is answered whatever is being done; from any thread.

        Returns:
            The answer; None where none came in time, or the process has ended.
        """
        number, answer = next(self._numbers), queue.SimpleQueue[Any]()
        self._answers[number] = answer
        try:
            asked = Ask(number=number, question=question, argument=argument)
            sent = self._link.send_within(asked, timeout_s)
            return answer.get(timeout=timeout_s) if sent else None
        except (OSError, queue.Empty):
            return None
        finally:
            del self._answers[number]

    def stop(self) -> None:
        """End the process, whatever it is doing, and wait until all of it has come back."""
        self.kill()
        self._over.wait()

    def kill(self) -> None:
        """End the process, whatever it is doing; returns at once."""
        self._wanted = True
        self._started.kill()

    def _carried_out(
        self, command: BaseModel, control: JobControl | None
    ) -> tuple[Done | Spoken, list[Samples]]:
        if not isinstance(command, Load | Synthesize) or control is None:
            return self._outcome(None)
        job = command.job
        with (
            self._watch.over(job),
            control.cancel.interrupting(lambda: self._watch.cancel(job)),
        ):
            return self._outcome(control)

    def _outcome(self, control: JobControl | None) -> tuple[Done | Spoken, list[Samples]]:
        refused: BaseException | None = None
        while True:
            reply = self._replies.get()
            if isinstance(reply, ProcessEnd):
                self._replies.put(reply)  # for whoever asks next
                raise _EndedError(reply)
            event, arrays = reply
            match event:
                case Reported():
                    if control is not None:
                        control.report(event.progress)
                case AtSafePoint():
                    refused = self._safe_point(control) or refused
                case Failed():
                    # what the job was ended for here matters more than how the engine took it
                    raise refused or self._failed(event)
                case _:
                    self.facts = event.facts
                    if refused is not None:
                        raise refused
                    return event, arrays

    def _failed(self, failed: Failed) -> GLMTTSError:
        """Return what a command has failed by; a process that is spoilt by it ends."""
        self.facts = failed.facts or self.facts
        error = failed.error.error()
        if not failed.spoilt:
            return error
        self._spoilt_by = error.message
        self._started.kill()
        self._over.wait()
        return self._how_it_ended().error(self._name)

    def _safe_point(self, control: JobControl | None) -> BaseException | None:
        """Let the studio do what waits for a safe point; return what it ends the job by."""
        refused: BaseException | None = None
        if control is not None:
            try:
                control.safe_point()
            except _EndedError:
                raise
            except BaseException as error:  # noqa: BLE001 - raised once the engine has stopped
                refused = error
                control.cancel.cancel()
        self._send(GoOn())
        return refused

    def _send(self, message: BaseModel, *arrays: Samples) -> None:
        try:
            self._link.send(message, arrays)
        except OSError:
            self._over.wait()
            raise _EndedError(self._how_it_ended()) from None

    def _how_it_ended(self) -> ProcessEnd:
        if self._end is None:
            raise AssertionError("a process that has ended has an end")
        return self._end

    # -- listening -----------------------------------------------------------------------------

    def _listen(self) -> None:
        try:
            while True:
                event, arrays = self._link.receive()
                self._watch.heard()
                self._take(event, arrays)
        except (EOFError, OSError):
            pass  # as always at the end
        except ValidationError:
            _log.exception("%s has said something that nobody understands", self._name)
            self._started.kill()
        except BaseException:  # noqa: BLE001 - whatever it is, the process is ended and told
            _log.exception("%s cannot be listened to", self._name)
            self._started.kill()
        self._finish()

    def _take(self, event: Event, arrays: list[Samples]) -> None:
        match event:
            case Answered():
                if (answer := self._answers.get(event.number)) is not None:
                    answer.put(event.value)
            case Reported() | AtSafePoint() | Done() | Spoken() | Failed():
                self._replies.put((event, arrays))
            case _:
                self.mirror.take(event)

    def _finish(self) -> None:
        exit_code = self._started.reap()
        self._end = end_of(
            exit_code,
            wanted=self._wanted,
            hung=self._watch.hung,
            spoilt_by=self._spoilt_by,
            killed=self._started.killed,
            oom_kills_before=self._oom_kills,
        )
        self.mirror.clear()
        # who is woken finds it ended
        self._over.set()
        self._replies.put(self._end)
        for answer in list(self._answers.values()):
            answer.put(None)
        self._link.close()
        # as it was when the process ended: who has been woken may end what is left of it
        if not self._end.wanted:
            self._on_end(self._end)


class _EndedError(Exception):
    """The process has ended amid a command."""

    def __init__(self, end: ProcessEnd) -> None:
        super().__init__()
        self.end = end
