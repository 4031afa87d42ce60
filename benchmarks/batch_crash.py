"""A batch whose process is killed again and again: what is lost, redone or left half written.

Killed are runs that go on, and then corrections, deletions and the taking over of earlier runs.
Run with ``python -m benchmarks.batch_crash [--kills N] [--inside N] [--seed N]``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.reporting import count, print_machine
from tests.batch.crashing import crash_runs
from tests.batch.inside_kills import ACTS, kill_inside

#: Lines of a run, and the longest that a process lives: together they spread the kills over all.
_LINES = 60
_LONGEST_S = 0.4
#: Faults that are shown in words.
_SHOWN = 5
#: Lines of a run that is corrected, deleted or taken over, so that it takes a while.
_MANY_LINES = 400


def main() -> None:
    """Kill, resume, look; print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=count, default=100)
    parser.add_argument("--inside", type=count, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print_machine()
    started_s = time.monotonic()
    _kill_runs(options.kills, options.seed)
    for name in ACTS:
        _kill_inside(name, options.inside, options.seed)
    print(f"took                             {time.monotonic() - started_s:.0f} s")


def _kill_runs(kills: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        seen = crash_runs(Path(folder), kills, seed, _LINES, _LONGEST_S)
    print(f"kills                            {seen.kills} (amid a run: {seen.amid})")
    print(f"runs brought to their end        {seen.runs} of {_LINES} lines each")
    print(f"finished lines spoken again      {seen.redone}   (target 0)")
    print(f"sounds that were torn            {seen.torn}   (target 0)")
    print(f"half files left by finished runs {seen.partial}   (target 0)")
    print(f"lines without a sound            {seen.lost}   (target 0)")


def _kill_inside(name: str, kills: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        seen = kill_inside(Path(folder), ACTS[name], kills, seed, _MANY_LINES)
    print(f"{name}, {_MANY_LINES} lines".ljust(33) + f"{seen.seconds * 1e3:.0f} ms")
    print(f"  kills inside of it             {seen.inside} of {seen.kills}   (target {kills})")
    print(f"  faults                         {len(seen.faults)}   (target 0)")
    for fault in seen.faults[:_SHOWN]:
        print(f"    {fault}")


if __name__ == "__main__":
    main()
