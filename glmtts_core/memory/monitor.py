"""The sampling thread: the last minutes of readings, events, and peaks between two moments."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from glmtts_core.memory.points import MemoryPoint, highest
from glmtts_core.memory.probe import MemoryProbe, MemoryReading
from glmtts_core.message import Message

_LOG = logging.getLogger(__name__)
#: Seconds of samples that are kept, and shown on the overview.
HISTORY_S: Final = 600.0
#: Number of events kept: three marks a second.
_EVENTS_KEPT: Final = int(3 * HISTORY_S)
#: Seconds to wait for the thread's end; a reading takes milliseconds, but a driver may hang.
_JOIN_S: Final = 2.0


class EventKind(StrEnum):
    """Kinds of events."""

    LOAD = "load"
    SYNTHESIS_START = "synthesis_start"
    SYNTHESIS_END = "synthesis_end"
    CLEANUP = "cleanup"
    UNLOAD = "unload"
    OUT_OF_MEMORY = "out_of_memory"
    ENGINE_LOST = "engine_lost"


@dataclass(frozen=True, slots=True)
class Event:
    """A mark on the timeline; ``time_s`` is `time.monotonic`."""

    time_s: float
    kind: EventKind
    label: str


class MemoryMonitor:
    """Samples in one daemon thread; everything else may be called from any thread.

    Args:
        probe: takes the readings.
        rate_hz: samples a second.
        history_s: seconds of samples that are kept.
    """

    def __init__(
        self, probe: MemoryProbe, rate_hz: float = 5.0, history_s: float = HISTORY_S
    ) -> None:
        self.probe = probe
        self._interval_s = 1.0 / rate_hz
        self._history_s = history_s
        self._lock = threading.Lock()
        # one reading at a time, so that the buffer stays in the order of time
        self._probe_lock = threading.Lock()
        # twice the thread's own samples: marks and jobs add theirs
        self._samples: deque[MemoryReading] = deque(maxlen=int(2 * rate_hz * history_s) + 2)
        self._events: deque[Event] = deque(maxlen=_EVENTS_KEPT)
        self._message: Message | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    @property
    def message(self) -> Message | None:
        """Why the last reading failed; None if it succeeded."""
        return self._message

    @property
    def running(self) -> bool:
        """Whether the thread is sampling."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    def start(self) -> None:
        """Start sampling; does nothing while it runs."""
        with self._lock:
            if self.running:
                return
            self._stop = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._stop,), name="memory-monitor", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Stop sampling and wait for the thread; the samples are kept."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._stop.set()
        if thread is not None:
            thread.join(_JOIN_S)

    def mark(self, kind: EventKind, label: str = "") -> Event:
        """Add an event to the timeline, with a reading."""
        event = Event(time.monotonic(), kind, label)
        with self._lock:
            self._events.append(event)
        self._try_sample()
        return event

    def sample_now(self) -> MemoryReading:
        """Take a reading now and keep it.

        If it fails, `message` says why and the latest reading is returned: measuring never stops a
        synthesis. The error is raised only if there is no reading at all.
        """
        reading, error = self._try_sample()
        if reading is not None:
            return reading
        with self._lock:
            if self._samples:
                return self._samples[-1]
        assert error is not None
        raise error

    def latest(self) -> MemoryReading:
        """Return the newest reading; takes one if there is none yet."""
        with self._lock:
            if self._samples:
                return self._samples[-1]
        return self.sample_now()

    def samples(
        self,
        last_s: float,
        max_points: int | None = None,
        height: Callable[[MemoryReading], int] | None = None,
    ) -> tuple[MemoryReading, ...]:
        """Return the readings of the last seconds, oldest first.

        Args:
            last_s: how far back.
            max_points: at most so many (3 or more): the highest reading of each interval, and
                the newest reading. The intervals do not move with time, so that a drawn peak does
                not flicker.
            height: the figure whose peaks are kept; None takes the main line.
        """
        with self._lock:
            kept = list(self._samples)
        since = time.monotonic() - last_s
        kept = [reading for reading in kept if reading.time_s >= since]
        if max_points is None or len(kept) <= max_points:
            return tuple(kept)
        if max_points < 3:
            raise ValueError(f"{max_points} points cannot show peaks")
        # a window over n whole intervals touches n + 1; one more point is for the newest
        interval_s = last_s / (max_points - 2)
        height = height or _main_line
        peaks: dict[int, MemoryReading] = {}
        for reading in kept:
            interval = int(reading.time_s / interval_s)
            if interval not in peaks or height(reading) > height(peaks[interval]):
                peaks[interval] = reading
        chosen = list(peaks.values())
        if chosen[-1] is not kept[-1]:
            chosen.append(kept[-1])
        return tuple(chosen)

    def events(self, last_s: float) -> tuple[Event, ...]:
        """Return the events of the last seconds, oldest first."""
        since = time.monotonic() - last_s
        with self._lock:
            return tuple(event for event in self._events if event.time_s >= since)

    def peak_between(self, start_s: float, end_s: float) -> MemoryPoint:
        """Return each figure's maximum between two moments of `time.monotonic`.

        If there is no sample in between, the newest reading is used.
        """
        with self._lock:
            within = [entry for entry in self._samples if start_s <= entry.time_s <= end_s]
        return highest(MemoryPoint.of(entry) for entry in within or [self.latest()])

    def _run(self, stop: threading.Event) -> None:
        due_s = time.monotonic()
        while not stop.is_set():
            self._try_sample()
            # after a pause (suspended machine, busy interpreter) no burst of samples
            due_s = max(due_s + self._interval_s, time.monotonic())
            stop.wait(due_s - time.monotonic())

    def _try_sample(self) -> tuple[MemoryReading | None, Exception | None]:
        with self._probe_lock:
            try:
                reading = self.probe.read()
            except Exception as error:  # noqa: BLE001 - the thread must live on, and says why
                if self._message is None:
                    _LOG.warning("no memory reading", exc_info=True)
                self._message = Message(
                    "memory.monitor.failed", {"reason": f"{type(error).__name__}: {error}"}
                )
                return None, error
            self._message = None
            with self._lock:
                self._samples.append(reading)
                while self._samples[0].time_s < reading.time_s - self._history_s:
                    self._samples.popleft()
            return reading, None


def _main_line(reading: MemoryReading) -> int:
    """Return the figure that matters where the engine computes."""
    device = reading.main
    if device is not None and device.used_bytes is not None:
        return device.used_bytes
    return reading.reserved_bytes or reading.resident_set_bytes
