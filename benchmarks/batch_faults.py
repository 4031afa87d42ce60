"""A batch with a tenth of bad lines and a device short of memory: what is done, what explained.

Run with ``python -m benchmarks.batch_faults [--lines N]``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from contextlib import closing
from pathlib import Path

from benchmarks.reporting import count, print_machine


def main() -> None:
    """Speak a faulty file and print what became of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=count, default=200)
    options = parser.parse_args()
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    print_machine()

    from glmtts_core.settings import Settings
    from glmtts_core.studio.studio import Studio
    from tests.batch.faulty import speak_faulty_file
    from tests.batch.runs import MoodyEngine

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, device="cpu", output_dir=Path(folder) / "outputs")
        with closing(Studio(settings, MoodyEngine)) as studio:
            run, outcome = speak_faulty_file(studio, options.lines, Path(folder) / "references")
            view = run.view()
    print(f"good lines done      {outcome.done} of {outcome.good}   (target: all)")
    print(f"bad lines explained  {outcome.explained} of {outcome.bad}   (target: all)")
    print(f"out of memory        {outcome.memory_errors} times, {outcome.short} good lines once")
    print(f"retries              {outcome.retries}")
    print(f"cleanups             {view.standing.cleanups}")
    print(f"took                 {view.active_s:.1f} s, {view.lines_per_min or 0:.0f} lines/min")


if __name__ == "__main__":
    main()
