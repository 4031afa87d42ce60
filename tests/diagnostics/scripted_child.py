"""The laboratory's child process, with a scripted engine in it: ``... [voiceless]``."""

import os
import sys

from glmtts_core.diagnostics.child import main
from tests.scripted_engine import ScriptedEngine, VoicelessEngine

if __name__ == "__main__":
    os._exit(main(VoicelessEngine if "voiceless" in sys.argv else ScriptedEngine))
