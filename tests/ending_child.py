"""The command line with a scripted engine: ``python -m tests.ending_child HOLD COMMAND...``.

Says "speaking" on its standard error as soon as a line is spoken, and then speaks on for ever: with
HOLD "stops" until it is to stop, with "never" whatever is asked of it.
"""

from __future__ import annotations

import sys
import threading

from glmtts_core.cli.main import main
from glmtts_core.engines.base import JobControl, SpokenAudio
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.speech import SynthesisRequest
from tests.scripted_engine import ScriptedEngine


class EndlessEngine(ScriptedEngine):
    """Never comes to an end by itself."""

    def synthesize(
        self, request: SynthesisRequest, caches: SessionCaches, control: JobControl
    ) -> SpokenAudio:
        sys.stderr.write("speaking\n")
        sys.stderr.flush()
        if sys.argv[1] == "never":
            threading.Event().wait()
        self.gate.clear()
        return super().synthesize(request, caches, control)


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], EndlessEngine))
