"""The speed of a run since its last start, and the time that it still needs."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PaceReading:
    """The pace at one moment; None before the first line.

    Attributes:
        active_s: seconds since the start, or until the stop.
        eta_s: seconds until the last line.
        lines_per_min: lines with an outcome in a minute.
        audio_per_s: seconds of sound made in a second.
    """

    active_s: float
    eta_s: float | None = None
    lines_per_min: float | None = None
    audio_per_s: float | None = None


class Pace:
    """The pace of a run since its start, in characters, as lines differ in length. Thread-safe.

    Args:
        waiting_chars: characters of all lines that wait.
    """

    def __init__(self, waiting_chars: int) -> None:
        self._lock = threading.Lock()
        self._started_s = time.monotonic()
        self._stopped_s: float | None = None
        self._waiting_chars = waiting_chars
        self._chars = 0
        self._lines = 0
        self._audio_s = 0.0

    def more(self, chars: int) -> None:
        """More lines wait."""
        with self._lock:
            self._waiting_chars += chars

    def ended(self, chars: int, audio_s: float) -> None:
        """A line of ``chars`` characters has its outcome, with so much sound (0 for none)."""
        with self._lock:
            self._waiting_chars -= chars
            self._chars += chars
            self._lines += 1
            self._audio_s += audio_s

    def stop(self) -> None:
        """The run has stopped."""
        with self._lock:
            self._stopped_s = time.monotonic()

    def read(self) -> PaceReading:
        """Return the pace as it is now."""
        with self._lock:
            end_s = time.monotonic() if self._stopped_s is None else self._stopped_s
            active_s = end_s - self._started_s
            if self._lines == 0 or active_s <= 0:
                return PaceReading(active_s)
            running = self._stopped_s is None
            return PaceReading(
                active_s=active_s,
                eta_s=self._waiting_chars * active_s / max(1, self._chars) if running else None,
                lines_per_min=60 * self._lines / active_s,
                audio_per_s=self._audio_s / active_s,
            )
