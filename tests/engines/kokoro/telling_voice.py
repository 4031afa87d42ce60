"""The built-in voice that tells what its process has imported, in place of who has spoken."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Final

from glmtts_core.engines.base import JobControl, SpokenAudio
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.kokoro.engine import KokoroEngine
from glmtts_core.engines.order import EngineOrder
from glmtts_core.speech import SynthesisRequest

ORDER: Final = EngineOrder("tests.engines.kokoro.telling_voice:TellingVoice")


class TellingVoice(KokoroEngine):
    """Speaks; who has spoken are the libraries that are imported by then."""

    def synthesize(
        self, request: SynthesisRequest, caches: SessionCaches, control: JobControl
    ) -> SpokenAudio:
        spoken = super().synthesize(request, caches, control)
        return replace(spoken, voices=tuple({name.partition(".")[0] for name in sys.modules}))
