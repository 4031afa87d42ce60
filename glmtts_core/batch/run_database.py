"""``run.db``: all that is known of a run, and what is asked about it; `RunWriter` changes it.

A line is done while the sound in its file was made from its very content. An attempt without an end
belongs to the process that holds the run's lock, or to one that has died.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.run_files import is_locked
from glmtts_core.batch.run_schema import RANK, UNFINISHED_S
from glmtts_core.batch.states import (
    LineMemory,
    LineRow,
    LineState,
    LineStatus,
    RunCounts,
    RunStanding,
    RunState,
)
from glmtts_core.batch_files.lines import BatchLine, InputFormat, LineProblem, RunDefaults
from glmtts_core.database import Database, Row
from glmtts_core.errors import StorageError
from glmtts_core.message import Message
from glmtts_core.quoting import quoted
from glmtts_core.stored import STRICT, Moment, StoredMessage, value_from

_ROWS: Final = """
    SELECT line.position, line.line, line.shown,
        a.ended_s, a.seconds, a.audio_s, a.memory, a.voices, a.reason,
        (SELECT count(*) FROM attempt r WHERE r.uttid = line.uttid
            AND r.content_hash = line.content_hash AND r.outcome = 'retried'),
        (SELECT count(*) FROM attempt c WHERE c.uttid = line.uttid
            AND c.content_hash = line.content_hash AND c.outcome = 'crashed'),
        s.sha256
    FROM w JOIN line ON line.position = w.position
        LEFT JOIN attempt a ON a.id = line.attempt
        LEFT JOIN sound s ON s.file_stem = line.file_stem"""


class RunHeader(BaseModel):
    """What a run is, apart from its lines.

    Attributes:
        name: of the input file.
        created_at: with time zone.
        encoding: of the input file, as shown.
        input_format: how the input file is laid out.
        defaults: what holds for lines that say nothing else.
        policy: when it cleans up.
    """

    model_config = STRICT | {"frozen": True}

    name: str
    created_at: Moment
    encoding: str
    input_format: InputFormat
    defaults: RunDefaults
    policy: CleanupPolicy


_HEADER: Final = TypeAdapter(RunHeader)
_LINE: Final = TypeAdapter(BatchLine)
_PROBLEM: Final = TypeAdapter(LineProblem)
_MEMORY: Final = TypeAdapter(LineMemory)
_VOICES: Final = TypeAdapter(tuple[str, ...])
_MESSAGE: Final[TypeAdapter[Message]] = TypeAdapter(StoredMessage)


class RunDatabase:
    """What is asked of a run's database. Thread-safe.

    Args:
        source: of `run_schema.SCHEMA`.
    """

    def __init__(self, source: Database) -> None:
        self.source = source

    @property
    def goes_on(self) -> bool:
        """Whether some process carries the run on now."""
        return is_locked(self.source.path.parent)

    def header(self) -> RunHeader:
        """Return what the run is; raises as all here `StorageError`: it cannot be read."""
        (header,) = self.source.row("SELECT header FROM run")
        found: RunHeader = self._value(header, _HEADER)
        return found

    def input_version(self) -> int:
        """Return which input holds: 0 for the first one, one more with each correction."""
        return int(self.source.row("SELECT input_version FROM run")[0])

    def standing(self) -> RunStanding:
        """Return how the run stands."""
        state, reason, active_s, begun = self.source.row(
            "SELECT state, reason, active_s, started_s IS NOT NULL FROM run"
        )
        known = self._state(state)
        unfinished_s = self.source.row(f"SELECT {UNFINISHED_S} FROM run")[0] if begun else 0.0
        cleanups, regained_bytes = self.source.row(
            "SELECT count(*), coalesce(sum(regained_bytes), 0) FROM cleanup"
        )
        (audio_s,) = self.source.row("SELECT total(audio_s) FROM line WHERE shown = 'done'")
        return RunStanding(
            known,
            None if reason is None else self._value(reason, _MESSAGE),
            self.counts(known),
            active_s,
            unfinished_s,
            audio_s,
            self._count("attempt WHERE outcome = 'retried'"),
            cleanups,
            regained_bytes,
            self._count("line WHERE lost"),
        )

    def state(self) -> RunState:
        """Return the run's state as written down."""
        return self._state(self.source.row("SELECT state FROM run")[0])

    def counts(self, state: RunState) -> RunCounts:
        """Return how many lines are in each state, in a run that is in ``state``."""
        goes_on = self.goes_on
        kept: dict[str, int] = dict(
            self.source.rows("SELECT shown, count(*) FROM line GROUP BY shown")
        )
        running = kept.get("running", 0)
        waiting = kept.get("queued", 0) + (0 if goes_on else running)
        cancelled = state is RunState.CANCELLED
        return RunCounts(
            queued=0 if cancelled else waiting,
            running=running if goes_on else 0,
            done=kept.get("done", 0),
            failed=kept.get("failed", 0),
            skipped=waiting if cancelled else 0,
            set_aside=self._count("set_aside"),
        )

    def rows(
        self,
        states: Collection[LineState] | None = None,
        offset: int = 0,
        limit: int = -1,
        *,
        failures_first: bool = False,
    ) -> tuple[LineRow, ...]:
        """Return a window of the lines.

        Args:
            states: only lines in one of these; None takes all.
            offset: rows to pass over.
            limit: rows to return at most; below 0, all.
            failures_first: failed lines, then the running ones, those done, and those that wait;
                otherwise all in the input's order.
        """
        goes_on, cancelled = self.goes_on, self.state() is RunState.CANCELLED
        kept = _as_kept(set(LineState if states is None else states), goes_on, cancelled)
        marks = ", ".join("?" * len(kept))
        order = f"{RANK}, line.position" if failures_first else "line.position"
        found = self.source.rows(
            # the window first: what is passed over is not looked up elsewhere
            f"WITH w AS (SELECT position FROM line WHERE shown IN ({marks}) ORDER BY {order}"
            f" LIMIT ? OFFSET ?) {_ROWS} ORDER BY {order}",
            (*kept, limit, offset),
        )
        return tuple(self._row(each, goes_on, cancelled) for each in found)

    def row(self, position: int) -> LineRow:
        """Return one line."""
        found = self.source.row(f"WITH w AS (SELECT ? AS position) {_ROWS}", (position,))
        return self._row(found, self.goes_on, self.state() is RunState.CANCELLED)

    def problems(self, offset: int = 0, limit: int = -1) -> tuple[LineProblem, ...]:
        """Return the lines that are set aside, in the file's order."""
        found = self.source.rows(
            "SELECT problem FROM set_aside ORDER BY id LIMIT ? OFFSET ?", (limit, offset)
        )
        return tuple(self._value(problem, _PROBLEM) for (problem,) in found)

    def done_hashes(self) -> dict[str, str]:
        """Return `BatchLine.input_hash` of the done lines by name."""
        return {row.line.uttid: row.line.input_hash for row in self.rows({LineState.DONE})}

    def lost(self) -> frozenset[int]:
        """Return the positions of the done lines whose sounds are noted as missing."""
        found = self.source.rows("SELECT position FROM line WHERE lost AND state = 'done'")
        return frozenset(position for (position,) in found)

    def cleanups_s(self) -> list[float]:
        """Return when the run cleaned up (Unix time), rising."""
        return [at_s for (at_s,) in self.source.rows("SELECT at_s FROM cleanup ORDER BY at_s")]

    def _count(self, of: str) -> int:
        return int(self.source.row(f"SELECT count(*) FROM {of}")[0])

    def _state(self, word: str) -> RunState:
        try:
            return RunState(word)
        except ValueError as error:
            place = self.source.path
            raise StorageError(
                "stored.unknown_value", place=place, field="state", value=quoted(word)
            ) from error

    def _row(self, found: Row, goes_on: bool, cancelled: bool) -> LineRow:
        position, line, shown, ended_s, seconds, audio_s, memory, voices, reason, *counts = found
        retries, crashes, sha256 = counts
        state = LineState(shown)
        if state is LineState.RUNNING and not goes_on:
            state = LineState.QUEUED
        if state is LineState.QUEUED and cancelled:
            state = LineState.SKIPPED
        done, ended = state is LineState.DONE, state in (LineState.DONE, LineState.FAILED)
        status = LineStatus(
            state=state,
            seconds=seconds if done else None,
            audio_s=audio_s if done else None,
            memory=None if memory is None else self._value(memory, _MEMORY),
            retries=retries,
            crashes=crashes,
            reason=self._value(reason, _MESSAGE) if reason and not done and ended else None,
            ended_s=ended_s if ended else None,
            voices=self._value(voices, _VOICES) if voices and done else (),
            sha256=sha256 if done else None,
        )
        return LineRow(position, self._value(line, _LINE), status)

    def _value(self, text: str, kind: TypeAdapter[Any]) -> Any:
        return value_from(text.encode(), kind, self.source.path)


def _as_kept(states: set[LineState], goes_on: bool, cancelled: bool) -> list[str]:
    """Return as what the lines that are shown in these states are kept."""
    kept = {LineState.DONE, LineState.FAILED} & states
    if goes_on:
        kept |= {LineState.RUNNING} & states
    if (LineState.SKIPPED if cancelled else LineState.QUEUED) in states:
        kept |= {LineState.QUEUED} if goes_on else {LineState.QUEUED, LineState.RUNNING}
    return sorted(kept)
