"""Engines in this process: for the command line, which ends with its work, and for tests."""

from __future__ import annotations

from collections.abc import Collection

from glmtts_core.engines.available import EngineFactory, why_lacking
from glmtts_core.engines.base import Engine
from glmtts_core.engines.host.base import EngineHost
from glmtts_core.engines.order import EngineOrder
from glmtts_core.errors import DiagnosticsError
from glmtts_core.memory.allocator import TensorAllocator, allocator_for
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.inspector import OwnInspector
from glmtts_core.memory.nvml import torch_holds_context
from glmtts_core.message import Message
from glmtts_core.settings import Settings


class InlineHost(EngineHost):
    """Runs engines on the thread that calls them."""

    @classmethod
    def examine(cls, settings: Settings, order: EngineOrder) -> EngineOrder | Message:
        """Look for libraries and files; brings PyTorch in."""
        return why_lacking(settings, order) or order

    def _make(self, factory: EngineFactory) -> Engine:
        return factory(self._settings, self._ledger)

    def allocator(self, device: str) -> TensorAllocator:
        """Return PyTorch's own."""
        return allocator_for(device)

    @property
    def processes(self) -> None:
        """None: everything is in our process."""
        return None

    def holds_context(self) -> bool:
        """Whether PyTorch has opened a CUDA context here."""
        return torch_holds_context()

    def drop_caches(self, owners: Collection[str]) -> None:
        """Nothing to do: engines keep what they keep in the caches that they are handed."""

    def inspectors(self) -> tuple[OwnInspector]:
        """Look into our process."""
        return (OwnInspector(self.main_device),)

    def limit_memory(self, engine: Engine, headroom_bytes: int) -> None:  # noqa: ARG002
        """Refuse: a limit would hold for the whole program, and for good."""
        raise DiagnosticsError("laboratory.no_own_process", engine=engine.capabilities.engine)

    def close(self, *, idle: bool) -> None:
        """Unload all engines, unless one of them is at work."""
        if idle:
            self.release(CleanupLevel.UNLOAD)
