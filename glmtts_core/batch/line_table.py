"""How all lines of a run stand: counts kept up to date, rows read in windows. Thread-safe.

Knows nothing about the disk and the engine.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from glmtts_core.batch.states import LineRow, LineState, LineStatus, RunCounts
from glmtts_core.batch_files.lines import BatchLine

_UNTOUCHED: Final = LineStatus()
#: What needs eyes first.
_FAILURES_FIRST: Final = (
    {LineState.FAILED},
    {LineState.RUNNING},
    {LineState.DONE},
    {LineState.QUEUED, LineState.SKIPPED},
)


class LineTable:
    """The lines of a run in the input's order, each with its status.

    Args:
        lines: that can be spoken.
        set_aside: how many could not even be queued.
    """

    def __init__(self, lines: Sequence[BatchLine], set_aside: int) -> None:
        self.lines = tuple(lines)
        self._set_aside = set_aside
        self._lock = threading.Lock()
        self._statuses = [_UNTOUCHED] * len(self.lines)
        self._counts = Counter({LineState.QUEUED: len(self.lines)})
        self._running: set[int] = set()
        self._audio_s = 0.0
        self._retries = 0
        self._skipping = False

    def status(self, position: int) -> LineStatus:
        """Return how a line stands."""
        with self._lock:
            return self._statuses[position]

    def put(self, position: int, status: LineStatus) -> None:
        """Remember how a line stands now."""
        with self._lock:
            before = self._statuses[position]
            self._statuses[position] = status
            self._counts[before.state] -= 1
            self._counts[status.state] += 1
            self._audio_s += (status.audio_s or 0.0) - (before.audio_s or 0.0)
            self._retries += status.retries - before.retries
            (self._running.add if status.state is LineState.RUNNING else self._running.discard)(
                position
            )

    def skip_waiting(self, skip: bool) -> None:
        """Show the lines that wait as skipped (the run is cancelled), or as waiting again."""
        with self._lock:
            self._skipping = skip

    def positions(self, states: Collection[LineState]) -> list[int]:
        """Return the positions of the lines in one of ``states``, in the input's order.

        ``QUEUED`` covers those that are shown as skipped.
        """
        with self._lock:
            return [
                position for position, status in enumerate(self._statuses) if status.state in states
            ]

    def counts(self) -> RunCounts:
        """Return how many lines are in each state."""
        with self._lock:
            waiting = self._counts[LineState.QUEUED]
            return RunCounts(
                queued=0 if self._skipping else waiting,
                running=self._counts[LineState.RUNNING],
                done=self._counts[LineState.DONE],
                failed=self._counts[LineState.FAILED],
                skipped=waiting if self._skipping else 0,
                set_aside=self._set_aside,
            )

    def totals(self) -> tuple[float, int]:
        """Return the seconds of sound that are there, and the retries over all lines."""
        with self._lock:
            return self._audio_s, self._retries

    def running(self) -> tuple[LineRow, ...]:
        """Return the lines that are being spoken."""
        with self._lock:
            return tuple(self._row(position) for position in sorted(self._running))

    def rows(
        self,
        states: Collection[LineState] | None = None,
        offset: int = 0,
        limit: int = 100,
        *,
        failures_first: bool = False,
    ) -> tuple[LineRow, ...]:
        """Return a window of the lines.

        Args:
            states: only lines in one of these; None takes all.
            offset: rows to pass over.
            limit: rows to return at most.
            failures_first: failed lines, then the running ones, those done, and those that wait;
                otherwise all in the input's order.
        """
        with self._lock:
            wanted = self._as_kept(set(LineState) if states is None else set(states))
            groups = [group & wanted for group in _FAILURES_FIRST] if failures_first else [wanted]
            rows: list[LineRow] = []
            for group in groups:
                size = sum(self._counts[state] for state in group)
                if offset < size and len(rows) < limit:
                    rows += self._window(group, offset, limit - len(rows))
                offset = max(0, offset - size)
            return tuple(rows)

    def _as_kept(self, states: set[LineState]) -> set[LineState]:
        """Translate what is shown as skipped into what it is kept as."""
        shown_waiting = LineState.SKIPPED if self._skipping else LineState.QUEUED
        waiting = {LineState.QUEUED} if shown_waiting in states else set()
        return (states - {LineState.QUEUED, LineState.SKIPPED}) | waiting

    def _window(self, states: set[LineState], offset: int, limit: int) -> Iterator[LineRow]:
        left = sum(self._counts[state] for state in states)
        if left == len(self._statuses):
            last = min(len(self._statuses), offset + limit)
            yield from (self._row(position) for position in range(offset, last))
            return
        # pages ask for this every second: comparing is quicker than hashing, and once all that
        # there are have been met, nobody looks at the other ten thousand
        wanted = tuple(states)
        left = min(left, offset + limit)
        for position, status in enumerate(self._statuses):
            if left < 1:
                return
            if status.state in wanted:
                left -= 1
                if offset:
                    offset -= 1
                else:
                    yield self._row(position)

    def _row(self, position: int) -> LineRow:
        status = self._statuses[position]
        if self._skipping and status.state is LineState.QUEUED:
            status = LineStatus(LineState.SKIPPED, retries=status.retries, crashes=status.crashes)
        return LineRow(position, self.lines[position], status)
