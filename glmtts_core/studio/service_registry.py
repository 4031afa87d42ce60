"""What layers above hang on the studio: opened on first use, closed before the studio is.

Knows nothing about what the services do.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from glmtts_core.errors import SynthesisCancelled

_log = logging.getLogger(__name__)


class Service(Protocol):
    """Something that works through the studio and outlives every page."""

    def close(self) -> None:
        """Stop; the studio still works meanwhile."""


S = TypeVar("S", bound=Service)


class ServiceRegistry:
    """One service of each kind. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[type, Service] = {}
        self._closing = False

    def get(self, kind: type[S], make: Callable[[], S]) -> S:
        """Return the service of that kind, which ``make`` makes on first use.

        Raises:
            SynthesisCancelled: the program is closing.
        """
        with self._lock:
            if self._closing:
                raise SynthesisCancelled("studio.closing")
            found = self._open.get(kind)
            if not isinstance(found, kind):
                found = self._open[kind] = make()
            return found

    def close(self) -> None:
        """Close all, the newest first; one that fails keeps no other from closing."""
        with self._lock:
            self._closing = True
            services = list(reversed(self._open.values()))
        for service in services:
            try:
                service.close()
            except Exception:  # noqa: BLE001
                # the log has the story, and the program is to end all the same
                _log.exception("%s could not be closed", type(service).__name__)
