"""An engine in a process of its own, with the interface of every engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection
from typing import Final

from pydantic import BaseModel

from glmtts_core.audio import Samples
from glmtts_core.engines.base import JobControl, Progress, SpokenAudio, Stage
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.engines.checks import check_unicode
from glmtts_core.engines.host.engine_process import EngineProcess
from glmtts_core.engines.host.foreign_errors import PlainMessage, sendable
from glmtts_core.engines.host.process_end import ProcessEnd
from glmtts_core.engines.host.protocol import (
    Done,
    DropCaches,
    EngineFacts,
    GiveBack,
    LimitMemory,
    Load,
    Open,
    Recording,
    Release,
    Spoken,
    Synthesize,
)
from glmtts_core.engines.order import EngineOrder
from glmtts_core.errors import EngineError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import Ledger
from glmtts_core.message import Message
from glmtts_core.settings import Settings
from glmtts_core.speech import SynthesisRequest

_jobs: Final = itertools.count(1)
#: Makes the process of an engine, by its name and with what is called when it has ended unasked.
StartProcess = Callable[[str, Ledger, Callable[[ProcessEnd], None]], EngineProcess]


class RemoteEngine:
    """The `Engine` of another process, which lives from loading to unloading.

    Where its capabilities are not known beforehand, a process tells them and ends again.

    Args:
        order: what the engine is made from.
        settings: of the engine.
        ledger: gets the engine's entries.
        start: starts a process.
        on_lost: called from any thread when a process has ended unasked.

    Raises:
        EngineError: the engine cannot be made.
    """

    def __init__(
        self,
        order: EngineOrder,
        settings: Settings,
        ledger: Ledger,
        start: StartProcess,
        on_lost: Callable[[str, ProcessEnd], None],
    ) -> None:
        self._order = order
        self._settings = settings
        self._ledger = ledger
        self._start = start
        self._on_lost = on_lost
        self._name = order.name or order.factory
        self._process: EngineProcess | None = None
        self._capabilities: Capabilities | None = order.capabilities
        self._messages = order.messages
        if self._capabilities is None:
            # nothing of it stays in memory
            self._opened().stop()
        self._name = self.capabilities.engine

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        if self._capabilities is None:
            raise AssertionError("an engine that was made has told what it can do")
        return self._capabilities

    @property
    def loaded(self) -> bool:
        """Whether the weights are in memory."""
        facts = self._facts
        return facts is not None and facts.loaded

    @property
    def ready(self) -> bool:
        """Whether the weights are where they compute."""
        facts = self._facts
        return facts is not None and facts.ready

    @property
    def messages(self) -> tuple[Message, ...]:
        """What runs slower than it could on this machine, and why."""
        return self._messages

    @property
    def process(self) -> EngineProcess | None:
        """The process; None while nothing is loaded."""
        process = self._process
        return None if process is None or process.ended else process

    def load(self, control: JobControl) -> None:
        """Start the process where there is none, and load the weights.

        Raises:
            EngineError: they cannot be loaded; the process has ended again.
            SynthesisCancelled: the job was cancelled.
        """
        if self.ready:
            return
        control.report(Progress(Stage.LOADING, 0.0))
        process = self._opened(control)
        try:
            self._call(process, Load(job=next(_jobs)), control=control)
        except BaseException:
            process.stop()
            raise

    def synthesize(
        self, request: SynthesisRequest, caches: SessionCaches, control: JobControl
    ) -> SpokenAudio:
        """Speak; loads first if needed. The session's caches are those of the process.

        Raises:
            TextError: the text is no Unicode.
            GLMTTSError: what the engine raised; EngineProcessError or OutOfMemoryError where its
                process has ended: the next request starts another.
        """
        check_unicode(request.text)  # the connection could not carry it
        reference = request.reference
        recording, arrays = None, []
        if reference is not None:
            recording = Recording(
                sample_rate_hz=reference.sample_rate_hz,
                name=sendable(reference.name),
                transcript=sendable(reference.transcript),
            )
            arrays = [reference.samples]
        command = Synthesize(
            job=next(_jobs),
            owner=caches.owner,
            request=request.model_dump(mode="json", by_alias=False, exclude={"reference"}),
            recording=recording,
            shapes=tuple(each.shape for each in arrays),
        )
        spoken, sounds = self._call(self._opened(control), command, *arrays, control=control)
        if not isinstance(spoken, Spoken):
            raise EngineError("engine.unexpected", reason=f"{self._name} has said {spoken.kind}")
        return SpokenAudio(sounds[0], spoken.sample_rate_hz, spoken.stages, spoken.voices)

    def release(self, level: CleanupLevel) -> None:
        """Drop what ``level`` covers; `UNLOAD` ends the process."""
        process = self.process
        if process is None:
            return
        if level is CleanupLevel.UNLOAD:
            process.stop()
        else:
            self._call(process, Release(level=level))

    # -- beyond an engine's interface ----------------------------------------------------------

    def drop_caches(self, owners: Collection[str]) -> None:
        """Drop what the process keeps for sessions."""
        if (process := self.process) is not None and owners:
            self._call(process, DropCaches(owners=tuple(owners)))

    def give_back(self) -> None:
        """Have the process return unused memory."""
        if (process := self.process) is not None:
            self._call(process, GiveBack())

    def limit_memory(self, headroom_bytes: int) -> None:
        """Let the process take no more than so much above what it holds.

        Raises:
            DiagnosticsError: this system has no such limit.
        """
        self._call(self._opened(), LimitMemory(headroom_bytes=headroom_bytes))

    def close(self) -> None:
        """End the process, from any thread, whatever it is doing."""
        if (process := self.process) is not None:
            process.stop()

    def _opened(self, control: JobControl | None = None) -> EngineProcess:
        """Return the process, starting one where there is none; who cancels ends that."""
        if (process := self.process) is not None:
            return process
        process = self._start(self._name, self._ledger, self._lost)
        self._process = process
        order, on_cpu = self._order, self._order.on_cpu
        try:
            opened = Open(
                factory=order.factory,
                device=order.device,
                on_cpu=None if on_cpu is None else PlainMessage.of(on_cpu),
                settings=self._settings.model_dump(mode="json", exclude={"api_token"}),
                figures_hz=self._settings.monitor_hz,
            )
            if control is None:
                self._call(process, opened)
            else:
                with control.cancel.interrupting(process.kill):
                    self._call(process, opened, control=control)
        except BaseException:
            process.stop()
            raise
        return process

    def _call(
        self,
        process: EngineProcess,
        command: BaseModel,
        *arrays: Samples,
        control: JobControl | None = None,
    ) -> tuple[Done | Spoken, list[Samples]]:
        """Have a command carried out, and learn what the engine then says of itself."""
        try:
            return process.call(command, *arrays, control=control)
        finally:
            if (facts := process.facts) is not None:
                self._capabilities = facts.capabilities
                self._messages = tuple(each.message() for each in facts.messages)

    @property
    def _facts(self) -> EngineFacts | None:
        return None if (process := self.process) is None else process.facts

    def _lost(self, end: ProcessEnd) -> None:
        self._on_lost(self._name, end)
