"""Physical memory of this program: our own process and, apart from it, those of the engines.

Knows nothing about engines but the names and the pids of their processes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from glmtts_core.memory.system import (
    peak_resident_set_bytes,
    proportional_set_bytes,
    reset_peak_resident_set,
    resident_set_bytes,
)

#: Seconds after which the kernel is asked again which pages a process shares with others.
_SHARED_EVERY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """Physical memory of an engine's process.

    Attributes:
        pid: of the process.
        name: the engine's, as shown.
        resident_set_bytes: all its pages, those shared with other processes too.
        proportional_set_bytes: shared pages divided by their users: what comes back at its end.
        measured: whether the system tells that; else it is the whole resident set.
    """

    pid: int
    name: str
    resident_set_bytes: int
    proportional_set_bytes: int
    measured: bool = True


@dataclass(frozen=True, slots=True)
class HostUse:
    """Physical memory of this program.

    Attributes:
        own_bytes: resident set of our own process; 0 where it is not counted.
        engines: those of the engines that have processes of their own.
    """

    own_bytes: int
    engines: tuple[ProcessUse, ...] = ()

    @property
    def engines_bytes(self) -> int:
        """What the engines' processes would give back by ending."""
        return sum(each.proportional_set_bytes for each in self.engines)

    @property
    def total_bytes(self) -> int:
        """The whole program: when an engine's process ends, this falls by just that figure."""
        return self.own_bytes + self.engines_bytes


class ResidentSets:
    """Reads the physical memory of our process and of the engines'. Thread-safe.

    A process's own pages are counted at each reading; which of them it shares with others changes
    little, takes the kernel milliseconds to find out, and is asked twice a minute.

    Args:
        engines: returns the engines' processes: pid and engine's name; None where the engines
            compute in ours.
        own: whether our own process counts.

    Attributes:
        separate: whether the engines have processes of their own.
    """

    def __init__(
        self, engines: Callable[[], Mapping[int, str]] | None = None, *, own: bool = True
    ) -> None:
        self.separate = engines is not None
        self._engines: Callable[[], Mapping[int, str]] = engines or dict
        self._own = own
        self._lock = threading.Lock()
        self._shared: dict[int, tuple[float, int | None]] = {}
        self._uncounted: frozenset[int | None] = frozenset((None,))

    def read(self) -> HostUse:
        """Return the current figures; a process that is gone counts as 0."""
        uses = tuple(self._use(pid, name) for pid, name in self._engines().items())
        return HostUse(resident_set_bytes() if self._own else 0, uses)

    def total_bytes(self) -> int:
        """Return the whole program's figure."""
        return self.read().total_bytes

    def refresh(self) -> None:
        """Have the next reading ask again which pages are shared: for figures that are promised."""
        with self._lock:
            self._shared.clear()

    def reset_peak(self) -> None:
        """Begin to look for the peak anew."""
        pids: list[int | None] = [*self._engines(), *([None] if self._own else [])]
        self._uncounted = frozenset(pid for pid in pids if not reset_peak_resident_set(pid))

    def peak_bytes(self) -> int | None:
        """Return the highest total since `reset_peak`; None where the kernel does not count it.

        The sum of the processes' own peaks: they need not have come at the same time.
        """
        if None in self._uncounted:
            return None
        own = (peak_resident_set_bytes() or 0) if self._own else 0
        return own + sum(self._peak_of(use) for use in self.read().engines)

    def _peak_of(self, use: ProcessUse) -> int:
        peak = None if use.pid in self._uncounted else peak_resident_set_bytes(use.pid)
        shared = use.resident_set_bytes - use.proportional_set_bytes
        return max(use.proportional_set_bytes, (peak or 0) - shared)

    def _use(self, pid: int, name: str) -> ProcessUse:
        resident = resident_set_bytes(pid)
        shared = self._shared_bytes(pid, resident)
        return ProcessUse(
            pid,
            name,
            resident,
            max(0, resident - (shared or 0)),
            measured=shared is not None or not resident,
        )

    def _shared_bytes(self, pid: int, resident: int) -> int | None:
        now_s = time.monotonic()
        with self._lock:
            found = self._shared.get(pid)
        if found is not None and now_s - found[0] < _SHARED_EVERY_S:
            return found[1]
        proportional = proportional_set_bytes(pid)
        shared = None if proportional is None else max(0, resident - proportional)
        with self._lock:
            self._shared = {
                each: entry
                for each, entry in self._shared.items()
                if now_s - entry[0] < _SHARED_EVERY_S
            }
            self._shared[pid] = (now_s, shared)
        return shared
