"""Ends an engine's process that is to do something and gives no sign of life, or does not obey."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from glmtts_core.engines.host.link import Link
from glmtts_core.engines.host.protocol import Ask, Cancel, Event, Question
from glmtts_core.engines.host.started import StartedProcess

#: Seconds for which a cancellation may keep the page that asks for it.
_SEND_S: Final = 0.25
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a process is waited for.

    Attributes:
        hung_s: seconds without a sign of life while it has something to do.
        loading_s: the same while it starts and loads: a large library on a slow disk keeps it
            from answering.
        cancel_s: seconds that a cancelled job may take to end.
    """

    hung_s: float = 60.0
    loading_s: float = 300.0
    cancel_s: float = 30.0


class ProcessWatch:
    """Watches one process from a thread of its own.

    Args:
        name: the engine's, for the log.
        started: the process.
        link: to it.
        ended: set when it has ended.
        patience: how long it is waited for.

    Attributes:
        hung: whether it was ended for its silence, or for not obeying.
    """

    def __init__(
        self,
        name: str,
        started: StartedProcess,
        link: Link[Event],
        ended: threading.Event,
        patience: Patience,
    ) -> None:
        self.hung = False
        self._name = name
        self._started = started
        self._link = link
        self._ended = ended
        self._patience = patience
        self._pulse_s = min(1.0, patience.hung_s / 4, patience.cancel_s / 4)
        self._patience_s: float | None = None
        self._heard = 0
        self._job: int | None = None
        self._cancelled: tuple[int, float] | None = None
        self._unsent: int | None = None
        threading.Thread(target=self._watch, name=f"{name} watch", daemon=True).start()

    def heard(self) -> None:
        """The process has said something."""
        self._heard += 1

    @contextmanager
    def expecting(self, *, slow: bool) -> Iterator[None]:
        """While inside, the process has something to do; ``slow`` where it starts or loads."""
        outer = self._patience_s
        self._patience_s = self._patience.loading_s if slow else self._patience.hung_s
        try:
            yield
        finally:
            self._patience_s = outer

    @contextmanager
    def over(self, job: int) -> Iterator[None]:
        """While inside, the job of this number is done, and may be cancelled."""
        self._job = job
        try:
            yield
        finally:
            self._job = self._unsent = None

    def cancel(self, job: int) -> None:
        """Tell the process to cancel a job; from any thread, and never for long."""
        # the job may have ended by now: its number keeps this from the next one
        self._cancelled = job, time.monotonic()
        if job == self._job and not self._tell(Cancel(job=job), _SEND_S):
            self._unsent = job

    def _watch(self) -> None:
        # counted in pulses: the clock goes on while this program is stopped
        silent_s, heard = 0.0, self._heard
        while not self._ended.wait(self._pulse_s):
            self._started.end_what_is_left()
            patience_s = self._patience_s
            silent = self._heard == heard and patience_s is not None
            heard = self._heard
            silent_s = silent_s + self._pulse_s if silent else 0.0
            if silent_s > (patience_s or 0.0) or self._ignores_cancel():
                self.hung = True
                self._started.kill()
                return
            if self._unsent is not None and self._tell(Cancel(job=self._unsent), 0.0):
                self._unsent = None
            if silent_s > self._pulse_s:
                self._tell(Ask(number=0, question=Question.ALIVE), 0.0)

    def _ignores_cancel(self) -> bool:
        if self._cancelled is None:
            return False
        job, cancelled_s = self._cancelled
        return job == self._job and time.monotonic() - cancelled_s > self._patience.cancel_s

    def _tell(self, message: Ask | Cancel, wait_s: float) -> bool:
        try:
            return self._link.send_within(message, wait_s)
        except OSError:
            _log.debug("%s has ended while it was watched", self._name)
            return True
