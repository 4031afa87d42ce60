"""A run as its folder tells it: its lines, and how the journal says they stand."""

from __future__ import annotations

from dataclasses import dataclass

from glmtts_core.batch.journal import read_journal
from glmtts_core.batch.lines import LineProblem
from glmtts_core.batch.replay import Replayed, replay
from glmtts_core.batch.states import LineState, LineStatus, RunState
from glmtts_core.batch.store import RunStore
from glmtts_core.batch.table import LineTable
from glmtts_core.errors import StorageError


@dataclass
class LoadedRun:
    """What was read.

    Attributes:
        table: the lines that can be spoken, and how they stand.
        problems: the lines that were set aside.
        told: how the run stood.
        journal_bytes: size of the journal that was read, or written since by this process.
    """

    table: LineTable
    problems: tuple[LineProblem, ...]
    told: Replayed
    journal_bytes: int


def load_run(store: RunStore) -> LoadedRun:
    """Read a run; a line whose sound someone has removed waits again.

    Raises:
        StorageError: the folder cannot be read.
    """
    size_bytes = store.journal_bytes()
    lines, problems = store.lines(), store.problems()
    table = LineTable(lines, len(problems))
    try:
        told = replay(read_journal(store.journal_path), lines)
    except OSError as error:
        reason = error.strerror or error
        raise StorageError(
            "batch.run.unreadable", path=store.journal_path, reason=reason
        ) from error
    there = store.audio_names()
    for position, status in told.statuses.items():
        silent = f"{lines[position].file_stem}.wav" not in there
        table.put(position, LineStatus() if status.state is LineState.DONE and silent else status)
    table.skip_waiting(told.state is RunState.CANCELLED)
    return LoadedRun(table, problems, told, size_bytes)
