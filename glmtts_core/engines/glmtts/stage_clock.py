"""How long each stage of a job takes."""

from __future__ import annotations

import time

from glmtts_core.engines.base import Stage, StageTime


class StageClock:
    """Adds up the seconds of each stage."""

    def __init__(self) -> None:
        self._seconds: dict[Stage, float] = {}
        self._stage: Stage | None = None
        self._since_s = 0.0

    def enter(self, stage: Stage) -> None:
        """End the current stage and begin another."""
        self.stop()
        self._stage, self._since_s = stage, time.monotonic()

    def stop(self) -> None:
        """End the current stage."""
        if self._stage is not None:
            passed_s = time.monotonic() - self._since_s
            self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + passed_s
        self._stage = None

    def times(self) -> tuple[StageTime, ...]:
        """Return the seconds so far, in the order in which the stages first ran."""
        return tuple(StageTime(stage, seconds) for stage, seconds in self._seconds.items())
