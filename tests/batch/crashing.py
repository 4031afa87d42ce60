"""Killing the process of a run again and again, and looking at what is left each time."""

from __future__ import annotations

import random
import signal
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from glmtts_core.audio import decode
from glmtts_core.batch.run_files import DATABASE_FILE, is_locked
from glmtts_core.batch.states import LineState, RunState
from glmtts_core.batch.store import RunStore
from tests.batch.crash_child import carry_on
from tests.forked import forked, new_event
from tests.waiting import BOUND_S


@dataclass
class Crashes:
    """What was seen over all kills.

    Attributes:
        kills: processes that were killed while they lived.
        amid: kills in the middle of a run.
        runs: runs that came to their end.
        redone: lines that were spoken again though they were done.
        torn: sounds that could not be read, or of the wrong length.
        partial: half files that a finished run has left.
        lost: lines without a sound in a finished run.
    """

    kills: int = 0
    amid: int = 0
    runs: int = 0
    redone: int = 0
    torn: int = 0
    partial: int = 0
    lost: int = 0

    @property
    def faults(self) -> int:
        """Everything that must not be."""
        return self.redone + self.torn + self.partial + self.lost


def crash_runs(folder: Path, kills: int, seed: int, count: int, longest_s: float) -> Crashes:
    """Carry runs on in processes that are killed, until there were ``kills``, and finish the last.

    Args:
        folder: for the runs.
        kills: how many processes to kill.
        seed: of the moments.
        count: lines of a run.
        longest_s: a process is killed at a random moment before it has run for so long.
    """
    seen = Crashes()
    moments = random.Random(seed)
    while seen.kills < kills:
        _one_run(folder / f"run-{seen.runs}", kills, moments, count, longest_s, seen)
        seen.runs += 1
    return seen


def _one_run(
    folder: Path, kills: int, moments: random.Random, count: int, longest_s: float, seen: Crashes
) -> None:
    done: set[str] = set()
    spoken_path = folder.with_suffix(".spoken")
    while len(done) < count:
        spoken_path.write_text("")
        after_s = moments.uniform(0, longest_s) if seen.kills < kills else None
        killed = _carry_on(folder, count, spoken_path, after_s)
        seen.kills += killed
        seen.redone += len(done & set(spoken_path.read_text().splitlines()))
        if not (folder / DATABASE_FILE).exists():
            continue  # killed before the run was made
        with closing(RunStore(folder)) as store:
            done = _look(store, seen, killed=killed)
    with closing(RunStore(folder)) as store:
        seen.lost += count - len(store.audio_names())
    seen.partial += len(list(folder.rglob(".*.part")))


def _carry_on(folder: Path, count: int, spoken_path: Path, after_s: float | None) -> bool:
    """Run a process, kill it ``after_s`` seconds after its start; tell whether it still lived."""
    ready = new_event()
    child = forked(carry_on, folder, count, spoken_path, ready)
    assert ready.wait(BOUND_S)
    if after_s is not None:
        child.join(after_s)
        child.kill()
    child.join(10 * BOUND_S)
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def _look(store: RunStore, seen: Crashes, *, killed: bool) -> set[str]:
    """Return the texts that are done, after looking at all sounds that are there."""
    ended = store.database.state() is RunState.FINISHED
    seen.amid += killed and not ended
    assert not is_locked(store.folder)
    for row in store.database.rows():
        if store.audio_path(row.line).exists():
            audio = decode(store.wav(row.line), row.line.uttid)
            seen.torn += len(audio.samples) != 2_400 * len(row.line.text)
    return {row.line.text for row in store.database.rows({LineState.DONE})}
