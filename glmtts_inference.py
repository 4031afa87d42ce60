"""Command line of GLM-TTS Studio; ``python glmtts_inference.py --help`` lists the commands."""

from glmtts_core.__main__ import run

if __name__ == "__main__":
    run()
