"""What the state of a run of many lines costs: changing it, opening it, asking it.

    python -m benchmarks.batch_state [--lines 10000] [--spoken 2000] [--runs 5]

A run is made and some of its lines are spoken without an engine; every change is on the disk before
the next one begins. Then the run is opened anew, and asked what the batch page asks.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from benchmarks.reporting import Figure, count, print_figures, print_machine
from glmtts_core.batch.intake import create_run
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.registry import Batches
from glmtts_core.batch.run_files import run_lock
from glmtts_core.batch.run_writer import RunWriter
from glmtts_core.batch.states import RunState
from glmtts_core.batch.store import RunStore
from glmtts_core.batch_files.lines import RunDefaults
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.settings import Settings
from glmtts_core.studio.studio import Studio
from tests.batch.runs import lines, raw_of
from tests.scripted_engine import ScriptedEngine
from tests.speaking import result

#: Rows of a window, as the batch page shows them.
_WINDOW = 100


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=count, default=10_000)
    parser.add_argument("--spoken", type=count, default=2_000)
    parser.add_argument("--runs", type=count, default=5)
    options = parser.parse_args()
    print_machine()
    print(f"a run of {options.lines} lines, of which {options.spoken} are spoken")
    with tempfile.TemporaryDirectory() as root:
        outputs = Path(root)
        folder = outputs / "batch-measured"
        making_ms = _ms(lambda: _make(folder, options.lines))
        figures = [Figure("making the run", [making_ms], "ms")]
        figures += _changes(folder, min(options.spoken, options.lines))
        figures += _questions(folder, outputs, options.runs)
    print_figures(figures)


def _ms(act: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    act()
    return (time.perf_counter() - started_s) * 1_000


def _make(folder: Path, count: int) -> None:
    raw = raw_of(lines(*(f"Line {number}, as lines usually are." for number in range(count))))
    defaults = RunDefaults(voice="alpha")
    create_run(folder, "in.jsonl", raw, read_batch(raw), defaults, CleanupPolicy())


def _changes(folder: Path, spoken: int) -> list[Figure]:
    """Speak the first lines; return what it cost to say so."""
    running, done = [], []
    spoken_of = result(audio_s=0.1)
    with closing(RunStore(folder)) as store, run_lock(folder), closing(RunWriter(store)) as writer:
        writer.begin()
        for row in store.database.rows(limit=spoken):
            running.append(_ms(partial(writer.running, row.position)))
            done.append(_ms(partial(writer.done, row, spoken_of)))
        writer.end(RunState.PAUSED, None)
    return [
        Figure("state change: a line is running", running, "ms", "<= 5"),
        Figure("state change: a line is done, with its sound", done, "ms"),
    ]


def _open(batches: Batches, folder: Path) -> None:
    batches.open(folder).view()


def _questions(folder: Path, outputs: Path, runs: int) -> list[Figure]:
    opening, viewing, first, middle = [], [], [], []
    settings = Settings(_env_file=None, device="cpu", output_dir=outputs)
    with closing(Studio(settings, ScriptedEngine)) as studio:
        for _ in range(runs):
            batches = Batches(studio)
            opening.append(_ms(partial(_open, batches, folder)))
            run = batches.open(folder)
            viewing.append(_ms(run.view))
            first.append(_ms(partial(run.lines.rows, limit=_WINDOW, failures_first=True)))
            half = sum(1 for _ in run.lines.rows()) // 2
            middle.append(_ms(partial(run.lines.rows, None, half, _WINDOW)))
            batches.close()
    return [
        Figure("opening, with a look at all sounds", opening, "ms", "<= 300"),
        Figure("how the run stands", viewing, "ms"),
        Figure(f"the first {_WINDOW} rows, failures first", first, "ms"),
        Figure(f"{_WINDOW} rows from the middle", middle, "ms"),
    ]


if __name__ == "__main__":
    main()
