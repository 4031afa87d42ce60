"""What an engine's process does: one command after the other, on its main thread."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from pydantic import BaseModel

from glmtts_core.audio import Samples
from glmtts_core.engines.available import why_lacking
from glmtts_core.engines.base import CancelToken, Engine, Progress
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.host.answers import answer
from glmtts_core.engines.host.foreign_errors import PlainError, PlainMessage
from glmtts_core.engines.host.protocol import (
    Ask,
    AtSafePoint,
    Command,
    Done,
    DropCaches,
    EngineFacts,
    Failed,
    Figures,
    Forgotten,
    GiveBack,
    GoOn,
    LimitMemory,
    Load,
    Open,
    Recorded,
    Release,
    Reported,
    Spoken,
    Synthesize,
)
from glmtts_core.engines.host.spoilt import is_spoilt
from glmtts_core.engines.order import EngineOrder
from glmtts_core.errors import EngineError
from glmtts_core.memory.allocator import allocator_for
from glmtts_core.memory.cleanup import CleanupLevel, settle_garbage
from glmtts_core.memory.ledger import Ledger, LedgerEntry
from glmtts_core.memory.memory_limit import limit_memory
from glmtts_core.memory.nvml import torch_holds_context
from glmtts_core.settings import Settings
from glmtts_core.speech import ReferenceAudio, SynthesisRequest

#: Seconds between two reports of progress within the same piece of work.
_REPORT_EVERY_S: Final = 0.04
_log = logging.getLogger(__name__)


class Send(Protocol):
    """Sends a message with its arrays."""

    def __call__(self, message: BaseModel, *arrays: Samples) -> None:
        """Send them."""


class ChildWork:
    """One engine and what it keeps.

    Args:
        opened: what the engine is made from.
        send: tells the other side.
        receive: waits for the next command that is not done at once.
    """

    def __init__(
        self,
        opened: Open,
        send: Send,
        receive: Callable[[], tuple[Command, list[Samples], CancelToken]],
    ) -> None:
        self._opened = opened
        self._send = send
        self._receive = receive
        self._ledger = Ledger(on_change=self._tell_change)
        self._caches: dict[str, SessionCaches] = {}
        self._engine: Engine | None = None
        self._released = CleanupLevel.TRIM
        self._figures_lock = threading.Lock()
        self._figures_sent: Figures | None = None

    def _tell_change(self, entry: LedgerEntry, *, there: bool) -> None:
        if there:
            self._send(Recorded(entry=entry))
        else:
            self._send(Forgotten(of=entry.kind, owner=entry.owner, name=entry.name))

    # -- beside the work -----------------------------------------------------------------------

    def answer(self, ask: Ask) -> Any:
        """Answer a question; on any thread."""
        return answer(ask, self._device)

    def _tell_figures(self) -> None:
        """Send the allocator's figures as often as they change; in a thread of its own."""
        while True:
            self._send_figures()
            time.sleep(1.0 / self._opened.figures_hz)

    def _send_figures(self) -> None:
        """Send the allocator's figures, where the device has any and they have changed."""
        if self._device == "cpu":
            return
        # read and sent as one: the newest must be the last to come
        with self._figures_lock:
            allocator = allocator_for(self._device)
            reading = allocator.read()
            figures = Figures(
                allocated_bytes=reading.allocated_bytes,
                reserved_bytes=reading.reserved_bytes,
                reclaimable_bytes=reading.reclaimable_bytes,
                uuid=allocator.device_uuid(),
                context=torch_holds_context(),
            )
            if figures != self._figures_sent:
                self._send(figures)
                self._figures_sent = figures

    # -- the work ------------------------------------------------------------------------------

    def serve(self) -> None:
        """Make the engine, tell what it is, and carry out commands for ever."""
        try:
            self._open()
        except BaseException as error:  # noqa: BLE001 - whatever a library raises is told
            self._fail(error)
            while True:  # the other side ends this process, and knows why
                self._receive()
        if self._device != "cpu":
            threading.Thread(target=self._tell_figures, name="figures", daemon=True).start()
        self._send(Done(facts=self._facts()))
        while True:
            self._carry_out(*self._receive())

    def _open(self) -> None:
        opened = self._opened
        settings = Settings(_env_file=None, **opened.settings)
        on_cpu = None if opened.on_cpu is None else opened.on_cpu.message()
        order = EngineOrder(opened.factory, device=opened.device, on_cpu=on_cpu)
        if (lacking := why_lacking(settings, order)) is not None:
            raise EngineError(lacking.key, **lacking.details)
        self._engine = order(settings, self._ledger)

    def _carry_out(self, command: Command, arrays: list[Samples], cancel: CancelToken) -> None:
        try:
            self._do(command, arrays, cancel)
        except BaseException as error:  # noqa: BLE001 - whatever a library raises is told
            self._fail(error)
        else:
            if not isinstance(command, Synthesize):
                self._tell_done()

    def _do(self, command: Command, arrays: list[Samples], cancel: CancelToken) -> None:
        match command:
            case Load():
                self._made.load(_Control(cancel, self))
                settle_garbage()
            case Synthesize():
                self._speak(command, arrays, cancel)
            case Release():
                self._released = max(self._released, command.level, key=list(CleanupLevel).index)
                self._made.release(command.level)
            case DropCaches():
                for owner in command.owners:
                    if (caches := self._caches.pop(owner, None)) is not None:
                        caches.clear()
            case GiveBack():
                gc.collect() if self._released is CleanupLevel.TRIM else settle_garbage()
                self._released = CleanupLevel.TRIM
                allocator_for(self._device).give_back()
            case LimitMemory():
                limit_memory(self._device, command.headroom_bytes)

    def _speak(self, command: Synthesize, arrays: list[Samples], cancel: CancelToken) -> None:
        recording, reference = command.recording, None
        if recording is not None:
            reference = ReferenceAudio(
                arrays[0], recording.sample_rate_hz, recording.name, recording.transcript
            )
        request = SynthesisRequest(**command.request, reference=reference)
        caches = self._caches.setdefault(command.owner, SessionCaches(command.owner, self._ledger))
        audio = self._made.synthesize(request, caches, _Control(cancel, self))
        self._send_figures()
        self._send(
            Spoken(
                facts=self._facts(),
                sample_rate_hz=audio.sample_rate_hz,
                stages=audio.stages,
                voices=audio.voices,
                shapes=(audio.samples.shape,),
            ),
            audio.samples,
        )

    def wait_at_safe_point(self) -> None:
        """Tell that memory may be cleaned up now, and do so where asked, until told to go on."""
        self._send(AtSafePoint())
        while True:
            command, arrays, cancel = self._receive()
            if isinstance(command, GoOn):
                return
            self._carry_out(command, arrays, cancel)

    def report(self, progress: Progress) -> None:
        """Tell how far the work is."""
        self._send(Reported(progress=progress))

    def _tell_done(self) -> None:
        self._send_figures()
        self._send(Done(facts=self._facts()))

    def _fail(self, error: BaseException) -> None:
        plain = PlainError.of(error)
        if plain.message.key == "engine.unexpected":
            _log.error("the engine failed unexpectedly", exc_info=error)
        spoilt = is_spoilt(error)
        # the traceback holds every tensor of the frames that have failed
        error.__traceback__ = error.__cause__ = error.__context__ = None
        facts = None if self._engine is None or spoilt else self._facts()
        self._send(Failed(error=plain, facts=facts, spoilt=spoilt))

    def _facts(self) -> EngineFacts:
        engine = self._made
        return EngineFacts(
            loaded=engine.loaded,
            ready=engine.ready,
            capabilities=engine.capabilities,
            messages=tuple(PlainMessage.of(each) for each in engine.messages),
        )

    @property
    def _made(self) -> Engine:
        if self._engine is None:
            raise AssertionError("the engine was not opened")
        return self._engine

    @property
    def _device(self) -> str:
        return "cpu" if self._engine is None else self._engine.capabilities.device


class _Control:
    """The `JobControl` of a job whose other half is in the process with the pages."""

    def __init__(self, cancel: CancelToken, work: ChildWork) -> None:
        self._cancel = cancel
        self._work = work
        self._reported: Progress | None = None
        self._reported_s = 0.0

    @property
    def cancel(self) -> CancelToken:
        return self._cancel

    def report(self, progress: Progress) -> None:
        last, now_s = self._reported, time.monotonic()
        same = last is not None and (last.stage, last.piece) == (progress.stage, progress.piece)
        if same and progress.fraction < 1.0 and now_s - self._reported_s < _REPORT_EVERY_S:
            return
        self._reported, self._reported_s = progress, now_s
        self._work.report(progress)

    def safe_point(self) -> None:
        self._cancel.raise_if_cancelled()
        self._work.wait_at_safe_point()
        self._cancel.raise_if_cancelled()
