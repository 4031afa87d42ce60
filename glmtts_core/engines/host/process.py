"""Engines in processes of their own: what one of them takes comes back when it ends, all of it.

Whatever happens to such a process, the pages, the queue and the other sessions go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from glmtts_core.engines.available import EngineFactory
from glmtts_core.engines.base import Engine
from glmtts_core.engines.host.base import EngineHost
from glmtts_core.engines.host.engine_process import EngineProcess
from glmtts_core.engines.host.process_end import ProcessEnd
from glmtts_core.engines.host.process_watch import Patience
from glmtts_core.engines.host.remote_allocator import RemoteAllocator
from glmtts_core.engines.host.remote_engine import RemoteEngine
from glmtts_core.engines.host.remote_inspector import RemoteInspector
from glmtts_core.engines.order import EngineOrder
from glmtts_core.errors import EngineError, EngineProcessError, ProcessOutOfMemoryError
from glmtts_core.memory.allocator import TensorAllocator
from glmtts_core.memory.ledger import Ledger
from glmtts_core.message import Message
from glmtts_core.settings import Settings

_PATIENCE: Final = Patience()
_log = logging.getLogger(__name__)


class ProcessHost(EngineHost):
    """Runs each engine in a process that lives from loading to unloading.

    Args:
        settings: of the engines.
        ledger: gets what they keep.
        factories: orders of the engines; only those can be told to another process.
        free_bytes: returns the free memory of a device; None where unknown.
        patience: how long a process is waited for.

    Raises:
        EngineError: an engine cannot be made.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        factories: Sequence[EngineFactory],
        free_bytes: Callable[[str], int | None],
        patience: Patience = _PATIENCE,
    ) -> None:
        self._start = partial(EngineProcess, patience=patience)
        super().__init__(settings, ledger, factories, free_bytes)

    @classmethod
    def examine(cls, settings: Settings, order: EngineOrder) -> EngineOrder | Message:
        """Have a process make the engine and tell what it can do; nothing of it stays."""
        start = partial(EngineProcess, patience=_PATIENCE)
        try:
            engine = RemoteEngine(order, settings, Ledger(), start, _log_end)
        except EngineError as error:
            if isinstance(error, EngineProcessError | ProcessOutOfMemoryError):
                return Message("engine.not_examined", {"reason": error.message})
            return error.message
        return replace(order, capabilities=engine.capabilities, messages=engine.messages)

    def _make(self, factory: EngineFactory) -> Engine:
        if not isinstance(factory, EngineOrder):
            raise TypeError("an engine's own process takes its order, not a function")
        return RemoteEngine(factory, self._settings, self._ledger, self._start, self._lost)

    def allocator(self, device: str) -> TensorAllocator:
        """Return the allocators of the processes on a device, as one."""
        return RemoteAllocator(lambda: self._remote, device)

    @property
    def processes(self) -> Mapping[int, str]:
        """The processes that there are: pid and engine's name."""
        found = [(each.process, each.capabilities.engine) for each in self._remote]
        return {process.pid: name for process, name in found if process is not None}

    def holds_context(self) -> bool:
        """Whether one of the processes has told of a CUDA context."""
        return any(
            each.process is not None and each.process.mirror.figures.context
            for each in self._remote
        )

    def drop_caches(self, owners: Collection[str]) -> None:
        """Drop what the processes keep for these sessions."""
        for engine in self._remote:
            engine.drop_caches(owners)

    def factory_of(self, engine: Engine) -> EngineFactory:
        """Return the engine's order, with what it has told since it was made."""
        factory = super().factory_of(engine)
        if not isinstance(factory, EngineOrder):
            return factory
        return replace(factory, capabilities=engine.capabilities, messages=engine.messages)

    def inspectors(self) -> list[RemoteInspector]:
        """Look into the processes that there are."""
        found = [(each.process, each.capabilities.engine) for each in self._remote]
        return [RemoteInspector(process, name) for process, name in found if process is not None]

    def limit_memory(self, engine: Engine, headroom_bytes: int) -> None:
        """Limit the engine's process for as long as it lives."""
        if not isinstance(engine, RemoteEngine):
            raise TypeError("this host makes no other engines")
        engine.limit_memory(headroom_bytes)

    def close(self, *, idle: bool) -> None:  # noqa: ARG002 - nothing of ours is disturbed
        """End all processes, whatever they are doing."""
        for engine in self._remote:
            engine.close()

    @property
    def _remote(self) -> list[RemoteEngine]:
        return [each for each in self._engines.values() if isinstance(each, RemoteEngine)]

    def _lost(self, engine: str, end: ProcessEnd) -> None:
        _log_end(engine, end)
        self._on_lost(engine, end.error(engine))


def _log_end(engine: str, end: ProcessEnd) -> None:
    _log.warning("%s", end.error(engine))
