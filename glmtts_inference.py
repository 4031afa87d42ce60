"""Command line of GLM-TTS Studio; ``python glmtts_inference.py --help`` lists the commands."""

import sys

from glmtts_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
