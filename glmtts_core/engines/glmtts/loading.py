"""Reports to a job which network is being loaded, and stops the loading when it is cancelled."""

from __future__ import annotations

from typing import Final

from glmtts_core.engines.base import JobControl, Progress, Stage
from glmtts_core.engines.glmtts.network_source import NetworkName, OnBytes

#: What the catalogue calls each network.
_LABEL_KEYS: Final = {
    NetworkName.LANGUAGE_MODEL: "check.part.language_model",
    NetworkName.FLOW: "check.part.flow",
    NetworkName.HIFT: "check.part.hift",
    NetworkName.VOCOS: "check.part.vocos",
    NetworkName.SPEECH_TOKENIZER: "check.part.speech_tokenizer",
    NetworkName.SPEAKER: "check.part.speaker_model",
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

    def of(self, name: NetworkName) -> OnBytes:
        """Return what receives the bytes of each tensor of a network; raises once cancelled."""

        def on_bytes(count: int) -> None:
            self._done_bytes += count
            fraction = min(1.0, self._done_bytes / self._whole_bytes)
            self._control.report(Progress(Stage.LOADING, fraction, label_key=_LABEL_KEYS[name]))
            self._control.cancel.raise_if_cancelled()

        return on_bytes
