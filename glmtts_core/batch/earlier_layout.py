"""Runs of the earlier layout, whose state lay in JSON files: a database is made beside those.

Nothing that is found is changed or deleted.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from glmtts_core.batch.earlier_files import (
    HEADER_FILE,
    JOURNAL_FILE,
    RETRY_FAILED,
    EarlierEntry,
    EarlierHeader,
    read_header,
    read_input_lines,
    read_journal,
)
from glmtts_core.batch.run_database import RunHeader
from glmtts_core.batch.run_files import AUDIO_FOLDER, DATABASE_FILE, run_lock
from glmtts_core.batch.run_schema import NOTE_LENGTHS, SCHEMA
from glmtts_core.batch.states import LineState, RunState
from glmtts_core.batch_files.lines import BatchLine, LineProblem
from glmtts_core.database import build_database
from glmtts_core.errors import BatchError
from glmtts_core.escaping import encodable
from glmtts_core.sound_files.whole_wav import is_whole
from glmtts_core.storage_errors import storage_errors
from glmtts_core.stored import json_text


def import_earlier(folder: Path) -> None:
    """Make the database of a run of the earlier layout; does nothing where it has been made.

    Raises:
        BatchError: another program carries on the run, or its header is gone.
        StorageError: a file cannot be read or holds what this version does not know, or the folder
            cannot be written.
    """
    if os.path.lexists(folder / DATABASE_FILE):
        return
    if not os.path.lexists(folder / HEADER_FILE):
        if os.path.lexists(folder / JOURNAL_FILE):
            raise BatchError("batch.run.headless", folder=folder, name=HEADER_FILE)
        return
    with run_lock(folder):
        if os.path.lexists(folder / DATABASE_FILE):
            return
        header = read_header(folder)
        lines, problems = read_input_lines(folder, header)
        story = _Story(folder, header, lines)
        story.read()
        with storage_errors(folder):
            build_database(
                folder / DATABASE_FILE, SCHEMA, lambda change: story.put(change, problems)
            )


@dataclass
class _Attempt:
    uttid: str
    hash: str
    started_s: float
    outcome: str = "running"
    end: EarlierEntry | None = None


@dataclass
class _Story:
    """What the journal tells.

    An entry about a line counts only for the very content it was written for.
    """

    folder: Path
    header: EarlierHeader
    lines: list[BatchLine]
    attempts: list[_Attempt] = field(default_factory=list)
    cleanups: list[tuple[float, int, float]] = field(default_factory=list)
    state: RunState = RunState.READY
    reason: str | None = None
    active_s: float = 0.0
    _open: dict[str, _Attempt] = field(default_factory=dict)
    _retries: Counter[tuple[str, str]] = field(default_factory=Counter)
    _failed: set[tuple[str, str]] = field(default_factory=set)
    # the content whose sound each file holds, as far as anything was written about it
    _spoken: dict[str, str | None] = field(default_factory=dict)
    _last: dict[tuple[str, str], int] = field(default_factory=dict)

    def read(self) -> None:
        """Go through the journal."""
        stems = {line.uttid: line.file_stem for line in self.lines}
        started_s: float | None = None
        at_s, stated_input = 0.0, self.header.input_version
        for entry in read_journal(self.folder):
            if entry.line is not None:
                self._line(entry, entry.line, entry.file or stems.get(entry.line))
            elif entry.cleanup is not None:
                self.cleanups.append((entry.at, entry.cleanup, entry.seconds or 0.0))
            elif entry.run == RETRY_FAILED:
                self._failed.clear()
            elif entry.run is not None:
                # up to what came before: nobody was at work between a crash and the next start
                end_s = at_s if entry.run == RunState.RUNNING else entry.at
                self.active_s += max(0.0, end_s - started_s) if started_s is not None else 0.0
                self.state, stated_input = RunState(entry.run), entry.input
                self.reason = None if entry.reason is None else json_text(asdict(entry.reason))
                started_s = entry.at if self.state is RunState.RUNNING else None
                self._crash()
            at_s = entry.at
        self.active_s += max(0.0, at_s - started_s) if started_s is not None else 0.0
        if self.state is RunState.RUNNING:
            self.state = RunState.INTERRUPTED
        if stated_input != self.header.input_version:
            self.state, self.reason = RunState.READY, None
        self._crash()

    def _line(self, entry: EarlierEntry, uttid: str, stem: str | None) -> None:
        key = (uttid, entry.hash or "")
        if stem is not None and entry.state is not LineState.FAILED:
            self._spoken[stem] = entry.hash if entry.state is LineState.DONE else None
        self._failed.discard(key)
        if entry.state is LineState.RUNNING:
            self._open[uttid] = _Attempt(*key, entry.at)
            self.attempts.append(self._open[uttid])
            return
        attempt = self._open.pop(uttid, None)
        if attempt is None and entry.state is LineState.QUEUED:
            return  # a line that was done and has lost its sound
        if attempt is None or attempt.hash != entry.hash:
            attempt = _Attempt(*key, entry.at)
            self.attempts.append(attempt)
        attempt.end = entry
        if entry.state in (LineState.DONE, LineState.FAILED):
            attempt.outcome = entry.state.value
            if entry.state is LineState.FAILED:
                self._failed.add(key)
        else:
            retried = (entry.retries or 0) > self._retries[key]
            attempt.outcome = "retried" if retried else "stopped"
        self._retries[key] = max(self._retries[key], entry.retries or 0)

    def _crash(self) -> None:
        for attempt in self._open.values():
            attempt.outcome = "crashed"
        self._open.clear()

    def put(self, change: Connection, problems: list[LineProblem]) -> None:
        """Fill the database."""
        header = RunHeader(**{name: getattr(self.header, name) for name in RunHeader.model_fields})
        change.execute(
            "INSERT INTO run (id, header, input_version, state, reason, active_s)"
            " VALUES (1, ?, ?, ?, ?, ?)",
            (
                json_text(header.model_dump(mode="json")),
                self.header.input_version,
                self.state,
                self.reason,
                self.active_s,
            ),
        )
        for number, attempt in enumerate(self.attempts, 1):
            change.execute(f"INSERT INTO attempt VALUES ({_marks(11)})", _row_of(number, attempt))
            if attempt.outcome in ("done", "failed", "retried"):
                self._last[attempt.uttid, attempt.hash] = number
        change.executemany("INSERT INTO cleanup VALUES (?, ?, ?)", self.cleanups)
        change.executemany(
            "INSERT INTO set_aside (problem) VALUES (?)",
            [(json_text(each.to_dict()),) for each in problems],
        )
        change.executemany(f"INSERT INTO sound VALUES ({_marks(5)})", self._sounds())
        change.executemany(
            "INSERT INTO line (position, line, uttid, file_stem, content_hash, state, lost,"
            f" attempt) VALUES ({_marks(8)})",
            [self._line_row(*each) for each in enumerate(self.lines)],
        )
        change.execute(NOTE_LENGTHS)

    def _line_row(self, position: int, line: BatchLine) -> tuple[object, ...]:
        key = (line.uttid, line.content_hash)
        attempt = self._last.get(key)
        state = "failed" if key in self._failed else "queued"
        lost = False
        if self._spoken.get(line.file_stem) == key[1] and attempt is not None:
            state = "done"
        elif not self.attempts:
            # without a journal, nothing says that the sound is of this line
            lost = (self.folder / AUDIO_FOLDER / f"{line.file_stem}.wav").exists()
        stored = json_text(line.to_dict())
        stem = line.file_stem
        return position, stored, encodable(line.uttid), stem, key[1], state, lost, attempt

    def _sounds(self) -> Iterator[tuple[object, ...]]:
        # a sound that no line names any more is left alone, and so is not noted
        for line in self.lines:
            content_hash = self._spoken.get(line.file_stem)
            if content_hash is None:
                continue
            path = self.folder / AUDIO_FOLDER / f"{line.file_stem}.wav"
            attempt = self._last.get((line.uttid, content_hash))
            end = None if attempt is None else self.attempts[attempt - 1].end
            size_bytes = modified_ns = None
            if is_whole(path, None if end is None else end.audio_s):
                status = path.stat()
                size_bytes, modified_ns = status.st_size, status.st_mtime_ns
            # reading ten thousand sounds for their digests would take minutes
            yield line.file_stem, content_hash, size_bytes, modified_ns, None


def _row_of(number: int, attempt: _Attempt) -> tuple[object, ...]:
    end = attempt.end
    uttid, content_hash = encodable(attempt.uttid), encodable(attempt.hash)
    row: list[Any] = [number, uttid, content_hash, attempt.started_s, None, attempt.outcome]
    if end is None:
        return (*row, None, None, None, None, None)
    row[4] = end.at
    memory = None if end.memory is None else json_text(asdict(end.memory))
    voices = None if end.voices is None else json_text(end.voices)
    reason = None if end.reason is None else json_text(asdict(end.reason))
    return (*row, end.seconds, end.audio_s, memory, voices, reason)


def _marks(count: int) -> str:
    return ", ".join("?" * count)
