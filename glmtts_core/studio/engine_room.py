"""The engines on offer, where they run, and the account of what they take.

Knows nothing about jobs and sessions.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence

from glmtts_core.engines.available import EngineFactory, engines_on_offer, rehearsal_order
from glmtts_core.engines.host.base import EngineHost
from glmtts_core.memory.account import MemoryAccount
from glmtts_core.memory.device import choose_device, nvml_for
from glmtts_core.memory.ledger import Ledger
from glmtts_core.memory.resident_sets import ResidentSets
from glmtts_core.message import Message
from glmtts_core.settings import Settings

_log = logging.getLogger(__name__)


class EngineRoom:
    """Chooses the device, makes the engines' host, and measures both.

    Args:
        settings: checked.
        factories: make the engines, the preferred one first; none means those that there are.
        host: where the engines run.
        own_memory: whether the memory of this process counts beside that of the engines' own.

    Attributes:
        ledger: of what is kept on purpose.
        driver: the NVIDIA driver.
        lacking: why GLM-TTS is not among the engines; None where it is.
        engines: those on offer.
        account: of the device whose memory is measured.
    """

    def __init__(
        self,
        settings: Settings,
        factories: Sequence[EngineFactory],
        host: type[EngineHost],
        *,
        own_memory: bool,
    ) -> None:
        self.ledger = Ledger()
        self._host: EngineHost | None = None
        self.driver = nvml_for(settings.device, self._pids, self._holds_context)
        self._choice = choose_device(settings.device, self.driver)
        self.lacking: Message | None = None
        if not factories:
            device, message = self._choice.device, self._choice.message
            offer = engines_on_offer(settings, device, message, host.examine)
            factories, self.lacking = offer.factories, offer.lacking
        self.engines = self._host = host(settings, self.ledger, factories, self._free_bytes)
        separate = self.engines.processes is not None
        self.account = MemoryAccount(
            self.driver,
            self.ledger,
            self.engines.main_device,
            settings.monitor_hz,
            ResidentSets(self._processes, own=own_memory) if separate else None,
            self.engines.allocator,
        )

    def add_rehearsal(self) -> None:
        """Offer GLM-TTS with random weights besides the others.

        Raises:
            EngineError: it cannot be made.
        """
        self.engines.add(rehearsal_order(self._choice.device, self._choice.message))

    def close(self, *, idle: bool) -> None:
        """Unload the engines and stop measuring.

        Args:
            idle: whether no engine is doing something.
        """
        try:
            self.engines.close(idle=idle)
        except Exception:  # noqa: BLE001
            # the threads are to end all the same; the memory goes with the process
            _log.exception("the engines could not be released")
        self.account.monitor.stop()
        self.driver.close()

    def _free_bytes(self, device: str) -> int | None:
        return self.account.monitor.latest().free_bytes(device)

    # the driver is asked before there are engines, to choose their device

    def _processes(self) -> Mapping[int, str]:
        return {} if self._host is None else self._host.processes or {}

    def _pids(self) -> tuple[int, ...]:
        return (os.getpid(), *self._processes())

    def _holds_context(self) -> bool:
        return self._host is not None and self._host.holds_context()
