"""The engines on offer: which one a request means, and which must be unloaded for another.

Knows nothing about queues, sessions or pages.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack

from glmtts_core.engines.available import EngineFactory
from glmtts_core.engines.base import Engine
from glmtts_core.engines.order import EngineOrder
from glmtts_core.errors import GLMTTSError, NoSuchEngineError
from glmtts_core.memory.allocator import TensorAllocator
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.inspector import Inspector
from glmtts_core.memory.ledger import Ledger
from glmtts_core.message import Message
from glmtts_core.settings import Settings


class EngineHost(ABC):
    """All engines on offer, the preferred one first, and where they run.

    Like an engine's own, all methods that make engines work are called on one thread.

    Args:
        settings: of the engines.
        ledger: records what they keep.
        factories: make the engines, at least one; each has a name of its own.
        free_bytes: returns the free memory of a device ("cpu", "cuda:N"); None where unknown.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        factories: Sequence[EngineFactory],
        free_bytes: Callable[[str], int | None],
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._free_bytes = free_bytes
        self._on_lost: Callable[[str, GLMTTSError], None] = lambda _engine, _how: None
        self._engines: Mapping[str, Engine] = {}
        self._factories: dict[str, EngineFactory] = {}
        for factory in factories:
            self.add(factory)

    @classmethod
    @abstractmethod
    def examine(cls, settings: Settings, order: EngineOrder) -> EngineOrder | Message:
        """Return the order with what this finds out, or why its engine cannot be made."""

    @abstractmethod
    def _make(self, factory: EngineFactory) -> Engine:
        """Make an engine where this host runs it."""

    @abstractmethod
    def allocator(self, device: str) -> TensorAllocator:
        """Return the allocator of the engines on a device."""

    @property
    @abstractmethod
    def processes(self) -> Mapping[int, str] | None:
        """The engines' own processes: pid and engine's name; None where they compute in ours."""

    @abstractmethod
    def holds_context(self) -> bool:
        """Whether one of the engines has opened a CUDA context."""

    @abstractmethod
    def drop_caches(self, owners: Collection[str]) -> None:
        """Drop what the engines keep for sessions outside the caches that they are handed."""

    @abstractmethod
    def inspectors(self) -> Sequence[Inspector]:
        """Return what looks into the processes in which the engines compute."""

    @abstractmethod
    def limit_memory(self, engine: Engine, headroom_bytes: int) -> None:
        """Let an engine's own process take no more than so much above what it holds.

        Raises:
            DiagnosticsError: it has none, or this system has no such limit.
        """

    @abstractmethod
    def close(self, *, idle: bool) -> None:
        """Unload all engines; from any thread.

        Args:
            idle: whether none of them is doing something; one that is may be left alone where the
                end of the program ends it.
        """

    def when_lost(self, tell: Callable[[str, GLMTTSError], None]) -> None:
        """Call ``tell`` when an engine's process has ended unasked, with its name and how.

        On a thread of its own; it must raise nothing.
        """
        self._on_lost = tell

    @property
    def names(self) -> tuple[str, ...]:
        """The engines' names as shown, the preferred one first."""
        return tuple(self._engines)

    @property
    def preferred(self) -> Engine:
        """The engine of a request that names none."""
        return next(iter(self._engines.values()))

    def find(self, name: str | None) -> Engine:
        """Return the engine called ``name``, with None the preferred one.

        Raises:
            NoSuchEngineError: no engine has this name.
        """
        if name is None:
            return self.preferred
        if name not in self._engines:
            raise NoSuchEngineError("request.engine", engine=name, known=", ".join(self._engines))
        return self._engines[name]

    def factory_of(self, engine: Engine) -> EngineFactory:
        """Return what ``engine`` was made by, to make another one."""
        return self._factories[engine.capabilities.engine]

    @property
    def rehearsal(self) -> Engine | None:
        """The engine with random weights, if there is one."""
        return next(
            (engine for engine in self._engines.values() if engine.capabilities.random_weights),
            None,
        )

    @property
    def main_device(self) -> str:
        """The device whose memory is measured: the first GPU that an engine uses, or "cpu"."""
        devices = [engine.capabilities.device for engine in self._engines.values()]
        return next((device for device in devices if device != "cpu"), "cpu")

    def add(self, factory: EngineFactory) -> None:
        """Make an engine and add it after the others."""
        engine = self._make(factory)
        # a new mapping: other threads may be iterating over the current one
        name = engine.capabilities.engine
        self._factories[name] = factory
        self._engines = {**self._engines, name: engine}

    def remove(self, engine: Engine) -> None:
        """Remove ``engine`` and unload it."""
        self._engines = {name: each for name, each in self._engines.items() if each is not engine}
        engine.release(CleanupLevel.UNLOAD)

    @property
    def any_loaded(self) -> bool:
        """Whether some engine has its weights in memory."""
        return any(engine.loaded for engine in self._engines.values())

    def others(self, engine: Engine) -> tuple[Engine, ...]:
        """Return the other engines that are loaded."""
        return tuple(
            other for other in self._engines.values() if other is not engine and other.loaded
        )

    def in_the_way_of(self, engine: Engine) -> tuple[Engine, ...]:
        """Return the loaded engines that must be unloaded before ``engine`` can be loaded.

        None where its device has enough free memory, or where that is unknown.
        """
        capabilities = engine.capabilities
        free_bytes = self._free_bytes(capabilities.device)
        if free_bytes is None or free_bytes >= capabilities.load_bytes:
            return ()
        return tuple(
            other
            for other in self.others(engine)
            if other.capabilities.device == capabilities.device
        )

    @property
    def messages(self) -> tuple[Message, ...]:
        """What runs slower than it could, of all engines, each once."""
        every = (message for engine in self._engines.values() for message in engine.messages)
        return tuple(dict.fromkeys(every))

    def release(self, level: CleanupLevel) -> None:
        """Have every engine drop what ``level`` covers; the first error is raised after that."""
        with ExitStack() as stack:  # runs backwards
            for engine in reversed(tuple(self._engines.values())):
                stack.callback(engine.release, level)
