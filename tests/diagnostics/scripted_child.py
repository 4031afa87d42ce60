"""The laboratory's child process, with the scripted engine in it."""

import os

from glmtts_core.diagnostics.child import main
from tests.scripted_engine import ScriptedEngine

if __name__ == "__main__":
    os._exit(main(ScriptedEngine))
