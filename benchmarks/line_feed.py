"""Lines for an engine whose process is killed again and again."""

from __future__ import annotations

import threading
from typing import Final

from glmtts_core.batch.out_of_memory import FROM_CLEAN_STATE
from glmtts_core.engines.base import SynthesisResult
from glmtts_core.errors import GLMTTSError
from glmtts_core.sessions.session import new_session_id
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.jobs import Priority
from glmtts_core.studio.studio import Studio

SHORT: Final = "你好。"
#: Seconds after which a job counts as one that never ends.
HANGS_S: Final = 90.0
#: How often a line is handed in, as in a batch.
_ATTEMPTS: Final = 2
#: Seconds between a line's end and the next one.
_EVERY_S: Final = 0.5


class LineFeed:
    """A queue of lines that never runs empty; each is handed in as a batch does.

    Attributes:
        handed_in: how many lines.
        spoken: those that were spoken.
        again: those that were handed in once more after they had failed with the process.
        failed: those that ended in a sentence.
        lost: those that ended in nothing, or never.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._owner = new_session_id()
        self._stop = threading.Event()
        self.handed_in = self.spoken = self.again = self.failed = self.lost = 0
        self._thread = threading.Thread(target=self._feed, name="lines")
        self._thread.start()

    def close(self) -> None:
        """Wait for the last line."""
        self._stop.set()
        self._thread.join()

    def print(self) -> None:
        """Print what has become of them."""
        print(f"lines: {self.handed_in} handed in, {self.spoken} spoken, {self.again} again")
        print(f"{'failed lines':32} {self.failed}")
        print(f"{'lost lines':32} {self.lost}   (target 0)")

    def _feed(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self.handed_in += 1
            for attempt in range(1, _ATTEMPTS + 1):
                error = self._speak()
                if not isinstance(error, FROM_CLEAN_STATE) or attempt == _ATTEMPTS:
                    self.failed += error is not None
                    break
                self.again += 1

    def _speak(self) -> GLMTTSError | None:
        kept: list[SynthesisResult] = []
        request = SynthesisRequest(text=SHORT)
        job = self._studio.submit(self._owner, request, Priority.BATCH, kept.append)
        job.wait(HANGS_S)
        error = job.view().error
        if kept and len(kept[0].audio.samples):
            self.spoken += 1
        elif error is None:
            self.lost += 1
        return error
