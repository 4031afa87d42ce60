"""Reading a run's journal back: how every line stands, and how the run stood.

An entry about a line counts only for the very content it was written for: a line that was changed
since, or is gone from the file, starts anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from glmtts_core.batch.journal import Entry
from glmtts_core.batch.lines import BatchLine
from glmtts_core.batch.states import LineMemory, LineState, LineStatus, Reason, RunCounts, RunState


@dataclass
class Replayed:
    """What the journal tells.

    Attributes:
        state: of the run; `RunState.RUNNING` where its process ended without a word.
        reason: why it paused by itself.
        statuses: by position; lines that nothing was written about are left out.
        active_s: seconds in which it ran.
        cleanups: how often it has cleaned up.
        regained_bytes: what they gave back.
    """

    state: RunState = RunState.READY
    reason: Reason | None = None
    statuses: dict[int, LineStatus] = field(default_factory=dict)
    active_s: float = 0.0
    cleanups: int = 0
    regained_bytes: int = 0


def replay(entries: Iterable[Entry], lines: Iterable[BatchLine]) -> Replayed:
    """Go through the journal of a run with these lines."""
    return _Replay(lines).run(entries)


def counts_of(entry: Entry | None) -> tuple[RunState, RunCounts] | None:
    """Return state and counts out of a journal's last entry; None where it does not tell."""
    try:
        if entry is None or RunState(entry["run"]) is RunState.RUNNING:
            return None
        return RunState(entry["run"]), RunCounts(**entry["counts"])
    except (KeyError, ValueError, TypeError):
        return None


class _Replay:
    def __init__(self, lines: Iterable[BatchLine]) -> None:
        self._lines = {line.uttid: (position, line) for position, line in enumerate(lines)}
        self._hashes: dict[int, str] = {}
        self._found = Replayed()
        self._started_s: float | None = None
        self._last_s = 0.0

    def run(self, entries: Iterable[Entry]) -> Replayed:
        for entry in entries:
            self._last_s = float(entry.get("at", self._last_s))
            if "line" in entry:
                self._line(entry)
            elif "run" in entry:
                self._run(entry)
            elif "cleanup" in entry:
                self._found.cleanups += 1
                self._found.regained_bytes += int(entry["cleanup"])
        self._stop()
        self._requeue(LineState.RUNNING, crashes=1)
        return self._found

    def _run(self, entry: Entry) -> None:
        if entry["run"] == "retry_failed":
            self._requeue(LineState.FAILED)
            return
        self._stop()
        # what was running when its process died was not brought to an end by anyone
        self._requeue(LineState.RUNNING, crashes=1)
        self._found.state = RunState(entry["run"])
        reason = entry.get("reason")
        self._found.reason = None if reason is None else Reason(**reason)
        if self._found.state is RunState.RUNNING:
            self._started_s = self._last_s

    def _stop(self) -> None:
        if self._started_s is not None:
            self._found.active_s += max(0.0, self._last_s - self._started_s)
        self._started_s = None

    def _line(self, entry: Entry) -> None:
        known = self._lines.get(entry["line"])
        if known is None:
            return
        position, line = known
        if position not in self._hashes:
            self._hashes[position] = line.content_hash
        if entry.get("hash") != self._hashes[position]:
            return
        before = self._found.statuses.get(position, LineStatus())
        self._found.statuses[position] = status_of(entry, before)

    def _requeue(self, state: LineState, crashes: int = 0) -> None:
        for position, status in self._found.statuses.items():
            if status.state is state:
                self._found.statuses[position] = replace(
                    status,
                    state=LineState.QUEUED,
                    reason=None,
                    crashes=status.crashes + crashes,
                )


def status_of(entry: Mapping[str, Any], before: LineStatus) -> LineStatus:
    """Return how a line stands after an entry about it."""
    memory, reason = entry.get("memory"), entry.get("reason")
    state = LineState(entry["state"])
    return LineStatus(
        state=state,
        seconds=entry.get("seconds"),
        audio_s=entry.get("audio_s"),
        memory=before.memory if memory is None else LineMemory(**memory),
        retries=entry.get("retries", before.retries),
        crashes=before.crashes,
        reason=None if reason is None else Reason(**reason),
        ended_s=entry.get("at") if state in (LineState.DONE, LineState.FAILED) else None,
    )


def entry_of(line: BatchLine, status: LineStatus) -> dict[str, Any]:
    """Return the entry that says how ``line`` stands; what says nothing is left out."""
    told: dict[str, Any] = {
        "line": line.uttid,
        "hash": line.content_hash,
        "state": status.state.value,
        "seconds": status.seconds,
        "audio_s": status.audio_s,
        "retries": status.retries or None,
        "memory": None if status.memory is None else memory_dict(status.memory),
        "reason": None if status.reason is None else status.reason.to_dict(),
    }
    return {name: value for name, value in told.items() if value is not None}


def memory_dict(memory: LineMemory) -> dict[str, Any]:
    """Return plain JSON values."""
    return {
        "line": memory.line,
        "before_bytes": memory.before_bytes,
        "peak_bytes": memory.peak_bytes,
        "after_bytes": memory.after_bytes,
    }
