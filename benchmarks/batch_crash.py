"""A batch whose process is killed again and again: what is lost, redone or left half written.

Run with ``python -m benchmarks.batch_crash [--kills N] [--seed N]``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.reporting import count, print_machine
from tests.batch.crashing import crash_runs

#: Lines of a run, and the longest that a process lives: together they spread the kills over all.
_LINES = 60
_LONGEST_S = 0.4


def main() -> None:
    """Kill, resume, look; print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=count, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print_machine()
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        seen = crash_runs(Path(folder), options.kills, options.seed, _LINES, _LONGEST_S)
    print(f"kills                            {seen.kills} (amid a run: {seen.amid})")
    print(f"runs brought to their end        {seen.runs} of {_LINES} lines each")
    print(f"finished lines spoken again      {seen.redone}   (target 0)")
    print(f"sounds that were torn            {seen.torn}   (target 0)")
    print(f"half files left by finished runs {seen.partial}   (target 0)")
    print(f"lines without a sound            {seen.lost}   (target 0)")
    print(f"took                             {time.monotonic() - started_s:.0f} s")


if __name__ == "__main__":
    main()
