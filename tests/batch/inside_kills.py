"""Killing a process while it corrects, deletes or takes over a run, and looking at what is left.

The moments are spread over what the act takes. A kill that comes after its end is tried again.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Final

from glmtts_core.audio import decode
from glmtts_core.batch.intake import run_in
from glmtts_core.batch.registry import Batches, batches_of
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import LineState
from glmtts_core.batch.store import RunStore
from glmtts_core.errors import GLMTTSError
from tests.batch.earlier import earlier_files, half_done
from tests.batch.runs import batch_of, finish, lines, make_run, raw_of, studio_over
from tests.forked import forked, new_event
from tests.waiting import BOUND_S

RUN: Final = "batch-run"
#: One line in so many is changed by a correction, or waits in a run that is taken over.
_ONE_IN: Final = 10
#: Acts that are watched to their end, to know what they take.
_WATCHED: Final = 3


@dataclass(frozen=True, slots=True)
class Act:
    """Something that changes a run, tried in a process that is killed.

    Attributes:
        make: makes a run in a folder, with so many lines.
        do: does it, inside of `_told`, to a run with so many lines.
        faults_in: looks at what is left in a folder, with so many lines; names what must not be.
    """

    make: Callable[[Path, int], None]
    do: Callable[[Path, int, Event], None]
    faults_in: Callable[[Path, int], list[str]]


@dataclass
class InsideKills:
    """What was seen over all kills of one act.

    Attributes:
        kills: processes that were killed.
        inside: those that had begun the act and not ended it.
        seconds: what the act takes.
        faults: everything that must not be, in words.
    """

    kills: int = 0
    inside: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


def kill_inside(root: Path, act: Act, kills: int, seed: int, count: int) -> InsideKills:
    """Do something in processes that are killed, until so many were killed inside of it.

    Args:
        root: a folder for the runs.
        act: what is done.
        kills: how many.
        seed: of the moments.
        count: lines of the run.
    """
    seen, moments = InsideKills(), random.Random(seed)
    model = root / "model" / RUN
    act.make(model, count)
    watched = (_done(root, model, act, count, None) for _ in range(_WATCHED))
    seen.seconds = statistics.median(each for each in watched if each is not None)
    while seen.inside < kills and seen.kills < 5 * kills:
        after_s = (seen.inside + moments.random()) / kills * seen.seconds
        took_s = _done(root, model, act, count, after_s)
        seen.kills += 1
        seen.inside += took_s is None
        try:
            seen.faults += act.faults_in(root / "killed" / RUN, count)
        except GLMTTSError as error:
            seen.faults.append(f"{error}")
    return seen


def _done(root: Path, model: Path, act: Act, count: int, after_s: float | None) -> float | None:
    """Do it in a process; return the seconds that it took, None where it was killed before."""
    folder = root / "killed" / RUN
    shutil.rmtree(folder.parent, ignore_errors=True)
    shutil.copytree(model, folder)
    begun, end = new_event(), _end_of(folder)
    child = forked(act.do, folder, count, begun)
    assert begun.wait(BOUND_S)
    if after_s is not None:
        threading.Event().wait(after_s)
        child.kill()
    child.join(BOUND_S)
    return float(end.read_text() or 0) if end.exists() else None


@contextmanager
def _told(folder: Path, begun: Event) -> Iterator[None]:
    """Tell that an act begins, and when it has ended, what it took."""
    begun.set()
    began_s = time.monotonic()
    yield
    # an event hangs those who ask for it where the process that sets it is killed
    _end_of(folder).write_text(f"{time.monotonic() - began_s}")


def _end_of(folder: Path) -> Path:
    return folder.parent / "ended"


def _texts(count: int, changed: str = "") -> list[str]:
    """Return short texts, some of them with an end of their own."""
    return [f"text {each}{changed if each % _ONE_IN == 0 else ''}" for each in range(count)]


def _faults_of_finished(run: BatchRun, spoken: list[str], expected: list[str]) -> list[str]:
    """Return what is wrong with a run that was just brought to its end.

    Args:
        spoken: what was spoken for that.
        expected: what could have been: all else was done before.
    """
    faults = [f"spoken again: {each}" for each in sorted(set(spoken) - set(expected))]
    faults += [f"spoken twice: {each}" for each in spoken if spoken.count(each) > 1]
    for row in run.lines.rows():
        if row.status.state is not LineState.DONE:
            faults.append(f"not done: {row.line.text}")
        elif len(decode(run.store.wav(row.line), "").samples) != 2_400 * len(row.line.text):
            faults.append(f"torn: {row.line.text}")
    partial = run.store.folder.rglob(".*.part")
    return faults + [f"left half written: {each.name}" for each in partial]


# -- a correction --------------------------------------------------------------------------------


def _make_finished(folder: Path, count: int) -> None:
    with closing(studio_over(folder.parent)) as studio:
        finish(make_run(studio, lines(*_texts(count)), folder=folder))


def _correct(folder: Path, count: int, begun: Event) -> None:
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with closing(studio_over(folder.parent)) as studio:
        run = batches_of(studio).open(folder)
        good = lines(*_texts(count, "!"))
        with _told(folder, begun):
            run.amend(raw_of(good), batch_of(good))


def _faults_of_correction(folder: Path, count: int) -> list[str]:
    with closing(studio_over(folder.parent)) as studio:
        run = batches_of(studio).open(folder)
        holds = [row.line.text for row in run.lines.rows()]
        known, good = lines(*_texts(count)), lines(*_texts(count, "!"))
        inputs = [([line.text for line in each], raw_of(each)) for each in (known, good)]
        whole = (holds, run.store.read_input()) in inputs
        faults = [] if whole else ["neither the old input nor the new one"]
        run.amend(raw_of(good), batch_of(good))
        finish(run)
        changed = sorted(set(_texts(count, "!")) - set(_texts(count)))
        return faults + _faults_of_finished(run, studio.engine.spoken, changed)


# -- a deletion ----------------------------------------------------------------------------------


def _remove(folder: Path, count: int, begun: Event) -> None:
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with closing(studio_over(folder.parent)) as studio:
        run = batches_of(studio).open(folder)
        with _told(folder, begun):
            batches_of(studio).remove(run.id)


def _faults_of_removal(folder: Path, count: int) -> list[str]:
    faults: list[str] = []
    with closing(studio_over(folder.parent)) as studio:
        if run_in(folder):
            run = batches_of(studio).open(folder)
            finish(run)
            faults = _faults_of_finished(run, studio.engine.spoken, [])
            faults += [] if len(run.lines.rows()) == count else ["lines are missing"]
            batches_of(studio).remove(run.id)
        else:
            Batches(studio)
    left = [path.name for path in folder.parent.iterdir() if path.is_dir()]
    return faults + (["cannot be removed"] if set(left) - {"sessions"} else [])


# -- taking over an earlier run ------------------------------------------------------------------


def _make_earlier(folder: Path, count: int) -> None:
    texts = {f"line-{number}": text for number, text in enumerate(_texts(count))}
    half_done(folder, texts, count - count // _ONE_IN)


def _take_over(folder: Path, count: int, begun: Event) -> None:
    with _told(folder, begun):
        RunStore(folder).close()


def _faults_of_import(folder: Path, count: int) -> list[str]:
    before = earlier_files(folder.parents[1] / "model" / RUN)
    left = earlier_files(folder)
    faults = [f"changed: {name}" for name, held in before.items() if left.get(name) != held]
    with closing(studio_over(folder.parent)) as studio:
        run = batches_of(studio).open(folder)
        finish(run)
        waited = _texts(count)[count - count // _ONE_IN :]
        faults += _faults_of_finished(run, studio.engine.spoken, waited)
    after = earlier_files(folder)
    return faults + [f"changed: {name}" for name, held in before.items() if after[name] != held]


ACTS: Final = {
    "correction": Act(_make_finished, _correct, _faults_of_correction),
    "deletion": Act(_make_finished, _remove, _faults_of_removal),
    "import": Act(_make_earlier, _take_over, _faults_of_import),
}
