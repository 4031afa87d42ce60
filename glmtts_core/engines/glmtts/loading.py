"""Telling a job which network is being loaded, and stopping in between where that is wished."""

from __future__ import annotations

from typing import Final

from glmtts_core.engines.base import JobControl, Progress, Stage
from glmtts_core.engines.glmtts.network_set import OnBytes, Part

#: What the catalogue calls each network.
_LABEL_KEYS: Final = {
    Part.LANGUAGE_MODEL: "check.part.language_model",
    Part.FLOW: "check.part.flow",
    Part.HIFT: "check.part.hift",
    Part.VOCOS: "check.part.vocos",
    Part.SPEECH_TOKENIZER: "check.part.speech_tokenizer",
    Part.SPEAKER: "check.part.speaker_model",
}


class LoadingReport:
    """Reports the loading of one or more networks as one whole.

    Args:
        control: of the job.
        whole_bytes: about what the networks take.
    """

    def __init__(self, control: JobControl, whole_bytes: int) -> None:
        self._control = control
        self._whole_bytes = max(1, whole_bytes)
        self._done_bytes = 0

    def of(self, part: Part) -> OnBytes:
        """Return what is to hear of each tensor of ``part``; it raises once the stop was asked."""

        def on_bytes(count: int) -> None:
            self._done_bytes += count
            fraction = min(1.0, self._done_bytes / self._whole_bytes)
            self._control.report(Progress(Stage.LOADING, fraction, label_key=_LABEL_KEYS[part]))
            self._control.cancel.raise_if_cancelled()

        return on_bytes
