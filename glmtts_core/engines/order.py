"""What an engine is made from, as another process can be told: a name to import, and a device."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from glmtts_core.engines.base import Engine
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.memory.ledger import Ledger
from glmtts_core.message import Message
from glmtts_core.settings import Settings


@dataclass(frozen=True, slots=True)
class EngineOrder:
    """Makes an engine, here or elsewhere.

    Attributes:
        factory: "module:name" of what makes it from settings and ledger, and where a device is
            given, from device and ``on_cpu`` too.
        name: the engine's, for sentences about it before it is made.
        device: "cpu" or "cuda:N"; None for an engine that chooses by itself.
        on_cpu: why the device is the CPU although there may be a GPU.
        capabilities: what it can do, where that is known without making it.
        messages: what it says to run slower than it could, where that is known.
    """

    factory: str
    name: str = ""
    device: str | None = None
    on_cpu: Message | None = None
    capabilities: Capabilities | None = None
    messages: tuple[Message, ...] = ()

    def __call__(self, settings: Settings, ledger: Ledger) -> Engine:
        """Make the engine in this process; may bring in heavy libraries."""
        module, _, name = self.factory.partition(":")
        make = getattr(import_module(module), name)
        placed = () if self.device is None else (self.device, self.on_cpu)
        engine: Engine = make(settings, ledger, *placed)
        return engine
