"""Reading a run's journal back: how every line stands, and how the run stood.

An entry about a line counts only for the very content it was written for, and only as long as no
other line was spoken into the same file since: a line that was changed starts anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from glmtts_core.batch.journal_entries import RETRY_FAILED, JournalEntry, status_of
from glmtts_core.batch.states import LineState, LineStatus, RunCounts, RunState
from glmtts_core.batch_files.lines import BatchLine
from glmtts_core.message import Message


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
        orphans: file stems of sounds that belong to no line any more.
    """

    state: RunState = RunState.READY
    reason: Message | None = None
    statuses: dict[int, LineStatus] = field(default_factory=dict)
    active_s: float = 0.0
    cleanups: int = 0
    regained_bytes: int = 0
    orphans: frozenset[str] = frozenset()


def replay(
    entries: Iterable[JournalEntry], lines: Iterable[BatchLine], input_version: int = 0
) -> Replayed:
    """Go through the journal of a run with these lines.

    A run whose input was corrected since its state was written is ready to start.
    """
    return _Replay(lines, input_version).run(entries)


def counts_of(
    entry: JournalEntry | None, input_version: int = 0
) -> tuple[RunState, RunCounts] | None:
    """Return state and counts out of a journal's last entry; None where it does not tell."""
    if entry is None or entry.counts is None or entry.input != input_version:
        return None
    if entry.run in (None, RETRY_FAILED, RunState.RUNNING):
        return None
    return RunState(entry.run), entry.counts


class _Replay:
    def __init__(self, lines: Iterable[BatchLine], input_version: int) -> None:
        self._lines = {line.uttid: (position, line) for position, line in enumerate(lines)}
        self._input_version = input_version
        self._hashes: dict[int, str] = {}
        # the content whose sound each file holds, as far as anything was written about it
        self._spoken: dict[str, str | None] = {}
        self._found = Replayed()
        self._stated_input = input_version
        self._started_s: float | None = None
        self._last_s = 0.0

    def run(self, entries: Iterable[JournalEntry]) -> Replayed:
        for entry in entries:
            self._last_s = entry.at
            if entry.line is not None:
                self._line(entry, entry.line)
            elif entry.run is not None:
                self._run(entry, entry.run)
            elif entry.cleanup is not None:
                self._found.cleanups += 1
                self._found.regained_bytes += entry.cleanup
        self._stop()
        self._requeue(LineState.RUNNING, crashes=1)
        self._forget_sounds_of_others()
        kept = {line.file_stem for _, line in self._lines.values()}
        self._found.orphans = frozenset(self._spoken) - kept
        if self._stated_input != self._input_version:
            self._found.state, self._found.reason = RunState.READY, None
        return self._found

    def _run(self, entry: JournalEntry, word: str) -> None:
        if word == RETRY_FAILED:
            self._requeue(LineState.FAILED)
            return
        self._stop()
        # lines left in RUNNING by a process that died are queued again
        self._requeue(LineState.RUNNING, crashes=1)
        self._found.state = RunState(word)
        self._found.reason = entry.reason
        self._stated_input = entry.input
        if self._found.state is RunState.RUNNING:
            self._started_s = self._last_s

    def _stop(self) -> None:
        if self._started_s is not None:
            self._found.active_s += max(0.0, self._last_s - self._started_s)
        self._started_s = None

    def _line(self, entry: JournalEntry, uttid: str) -> None:
        known = self._lines.get(uttid)
        stem = entry.file or (known[1].file_stem if known is not None else None)
        if stem is not None and entry.state in (LineState.RUNNING, LineState.DONE):
            # while a line is spoken, its file may hold the sound before or the new one
            self._spoken[stem] = entry.hash if entry.state is LineState.DONE else None
        if known is None:
            return
        position, line = known
        if position not in self._hashes:
            self._hashes[position] = line.content_hash
        if entry.hash != self._hashes[position]:
            return
        before = self._found.statuses.get(position, LineStatus())
        self._found.statuses[position] = status_of(entry, before)

    def _forget_sounds_of_others(self) -> None:
        for position, line in self._lines.values():
            status = self._found.statuses.get(position)
            if status is None or status.state is not LineState.DONE:
                continue
            if self._spoken.get(line.file_stem) != self._hashes[position]:
                del self._found.statuses[position]

    def _requeue(self, state: LineState, crashes: int = 0) -> None:
        for position, status in self._found.statuses.items():
            if status.state is state:
                self._found.statuses[position] = replace(
                    status,
                    state=LineState.QUEUED,
                    reason=None,
                    crashes=status.crashes + crashes,
                )
