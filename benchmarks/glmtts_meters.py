"""What the GLM-TTS benchmark measures by stage: seconds, and the most memory held."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import torch

_SAMPLE_S: Final = 0.02
_STATUS: Final = Path("/proc/self/status")


@dataclass
class Outcome:
    """What one run of an arm measured.

    Attributes:
        seconds: by stage.
        processor_s: seconds that all threads together computed, by stage; what other programs
            take away does not count.
        tokens_hz: speech tokens a second while decoding.
        read_bytes_hz: bytes of weights read a second while decoding.
        weights_bytes: of all networks.
        stage_peak_bytes: most memory that the process (or PyTorch on the GPU) held, by stage.
        peak_bytes: the same for the whole.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    processor_s: dict[str, float] = field(default_factory=dict)
    tokens_hz: float = 0.0
    read_bytes_hz: float = 0.0
    weights_bytes: int = 0
    stage_peak_bytes: dict[str, int] = field(default_factory=dict)
    peak_bytes: int = 0


class PeakMemory:
    """The most memory that was held while inside: anonymous host memory, or PyTorch's on a GPU.

    Args:
        device: where the networks compute.
        outcome: where the peaks are written down.
    """

    def __init__(self, device: torch.device, outcome: Outcome) -> None:
        self._device = device if device.type == "cuda" else None
        self._outcome = outcome
        self._stage: str | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        if self._device is not None:
            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.enter(None)
        if self._device is None:
            self._stopped.set()
            self._watcher.join()

    def enter(self, stage: str | None) -> None:
        """End the stage that runs, and begin another or none."""
        self._note()
        with self._lock:
            self._stage = stage
        if self._device is not None:
            torch.cuda.reset_peak_memory_stats(self._device)

    def _note(self) -> None:
        """Count what is held now, on a GPU the most since the stage began."""
        with self._lock:
            held = (
                _anonymous_bytes()
                if self._device is None
                else torch.cuda.max_memory_reserved(self._device)
            )
            outcome, stage = self._outcome, self._stage
            outcome.peak_bytes = max(outcome.peak_bytes, held)
            if stage is not None:
                peaks = outcome.stage_peak_bytes
                peaks[stage] = max(peaks.get(stage, 0), held)

    def _watch(self) -> None:
        while not self._stopped.wait(_SAMPLE_S):
            self._note()


class Stopwatch:
    """Seconds and memory by stage; waits for the device before it looks at the clock.

    Attributes:
        device: where the networks compute.
        outcome: where everything is written down.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.outcome = Outcome()
        self.memory = PeakMemory(device, self.outcome)

    def now(self) -> float:
        """Return the time when all that was asked of the device is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what is done inside."""
        self.memory.enter(name)
        started_s, computed_s = self.now(), time.process_time()
        yield
        self.outcome.seconds[name] = self.now() - started_s
        self.outcome.processor_s[name] = time.process_time() - computed_s
        self.memory.enter(None)


def _anonymous_bytes() -> int:
    """Return the memory of this process that no file stands behind."""
    for line in _STATUS.read_bytes().splitlines():
        if line.startswith(b"RssAnon:"):
            return 1024 * int(line.split()[1])
    raise OSError(f"{_STATUS} does not tell RssAnon")
