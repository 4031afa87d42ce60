"""The program's command line: ``glm-tts-studio``, or ``python -m glmtts_core``."""

from __future__ import annotations

import sys

from glmtts_core.ending import die_by_signals


def run() -> None:
    """Run the command of the process's arguments and end with its exit code."""
    # importing takes seconds, and there is nothing yet that had to be put in order
    die_by_signals()
    from glmtts_core.cli.main import main

    sys.exit(main())


if __name__ == "__main__":
    run()
