"""A run as read from its folder: its lines, and their states according to the journal."""

from __future__ import annotations

from dataclasses import dataclass

from glmtts_core.batch.journal_entries import read_entries
from glmtts_core.batch.line_table import LineTable
from glmtts_core.batch.replay import Replayed, replay
from glmtts_core.batch.states import LineState, RunState
from glmtts_core.batch.storage_errors import Stamp
from glmtts_core.batch.store import RunStore
from glmtts_core.batch_files.lines import LineProblem


@dataclass
class LoadedRun:
    """A run as read.

    Attributes:
        table: the lines that can be spoken, and their states.
        problems: the lines that were set aside.
        replayed: the run's state and figures according to the journal.
        lost: positions of the lines that were spoken and whose sound is not there any more, or
            not whole: they wait again.
        stamp: of the folder that was read, or written since by this process.
    """

    table: LineTable
    problems: tuple[LineProblem, ...]
    replayed: Replayed
    lost: tuple[int, ...]
    stamp: Stamp


def load_run(store: RunStore) -> LoadedRun:
    """Read a run, and look at every sound that counts as done.

    Raises:
        StorageError: the folder cannot be read, or holds what this version does not know.
    """
    stamp = store.stamp()
    lines, problems = store.lines(), store.problems()
    table = LineTable(lines, len(problems))
    replayed = replay(read_entries(store.journal_path), lines, store.header.input_version)
    journal = stamp[0]
    # without a journal, nothing says that the sounds belong to these lines
    no_journal = journal is None or not journal[0]
    lost = [n for n, line in enumerate(lines) if no_journal and store.audio_path(line).exists()]
    for position, status in replayed.statuses.items():
        if status.state is LineState.DONE and not store.holds_sound(lines[position], status):
            lost.append(position)
        else:
            table.put(position, status)
    table.skip_waiting(replayed.state is RunState.CANCELLED)
    return LoadedRun(table, problems, replayed, tuple(lost), stamp)
