"""Command line of GLM-TTS Studio; ``python glmtts_inference.py --help`` lists the commands."""

import sys

from glmtts_core.ending import die_by_signals

if __name__ == "__main__":
    # importing takes seconds, and there is nothing yet that had to be put in order
    die_by_signals()
    from glmtts_core.cli.main import main

    sys.exit(main())
