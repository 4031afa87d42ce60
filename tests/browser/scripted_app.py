"""The whole program over the scripted engine: ``python -m tests.browser.scripted_app HOST PORT``.

All but the sound is real: pages, routes, studio, batches and their end. What would be the built-in
voice speaks a tone a character, at once, or holds what the test wants to be held.
"""

from __future__ import annotations

import os
import runpy
import threading
from pathlib import Path
from typing import Final

from glmtts_core.diagnostics.laboratory import Laboratory
from glmtts_core.diagnostics.trial_runner import open_in_own_process
from glmtts_core.engines.available import BUILT_IN_VOICE, EngineFactory
from glmtts_core.engines.base import JobControl, Progress, SpokenAudio, Stage
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.engines.kokoro.engine import KokoroEngine
from glmtts_core.errors import TextError
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings, load_settings
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.shared import use_studio
from glmtts_core.studio.studio import Studio
from tests.scripted_engine import PIECES, ScriptedEngine

#: Names the file with the words to hold; while there is none, nothing is held.
HOLD_VARIABLE: Final = "SCRIPTED_APP_HOLD"
#: Seconds between two looks whether a text is still held.
_LOOK_S: Final = 0.02


class HeldEngine(ScriptedEngine):
    """The scripted engine under the built-in voice's name and with its voices."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        super().__init__(settings, ledger)
        self._likeness = KokoroEngine(settings, ledger)
        self._hold = Path(os.environ[HOLD_VARIABLE])

    @property
    def capabilities(self) -> Capabilities:
        return self._likeness.capabilities

    def synthesize(
        self, request: SynthesisRequest, caches: SessionCaches, control: JobControl
    ) -> SpokenAudio:
        if not any(map(str.isalnum, request.text)):
            raise TextError("text.unspeakable")
        control.report(Progress(Stage.WAVEFORM, 0.0, 1, PIECES))
        while self._held(request.text):
            control.safe_point()
            threading.Event().wait(_LOOK_S)
        return super().synthesize(request, caches, control)

    def _held(self, text: str) -> bool:
        try:
            return self._hold.read_text(encoding="utf-8") in text
        except FileNotFoundError:
            return False


def open_trial(settings: Settings, _: EngineFactory) -> Studio:
    """Open a trial's studio: the laboratory speaks with the voice itself."""
    return open_in_own_process(settings, BUILT_IN_VOICE)


if __name__ == "__main__":
    studio = Studio(load_settings(), HeldEngine)
    studio.services.get(Laboratory, lambda: Laboratory(studio, open_trial))
    with use_studio(studio):
        runpy.run_module("glmtts_core.ui.serve", run_name="__main__")
