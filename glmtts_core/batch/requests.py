"""What the engine is asked for, line by line, with the recordings that lines name."""

from __future__ import annotations

from glmtts_core.batch_files.lines import (
    BatchLine,
    RunDefaults,
    reference_name_of,
    request_of,
    transcript_of,
)
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.errors import BatchError
from glmtts_core.speech import ReferenceAudio, SynthesisRequest


class LineRequests:
    """Makes the requests of a run; the last recording is kept, since lines come by voice.

    Args:
        defaults: what holds for lines that say nothing else.
        references: where the recordings lie.
        max_reference_s: longest recording that is accepted, in seconds.
    """

    def __init__(
        self, defaults: RunDefaults, references: ReferenceFolder, max_reference_s: float
    ) -> None:
        self._defaults = defaults
        self._references = references
        self._max_reference_s = max_reference_s
        self._last: ReferenceAudio | None = None

    def of(self, line: BatchLine) -> SynthesisRequest:
        """Return what the engine is asked for.

        Raises:
            BatchError: its recording is not there any more.
            AudioError: its recording cannot be read.
        """
        name = reference_name_of(line, self._defaults)
        if name is None:
            return request_of(line, self._defaults, None)
        transcript = transcript_of(line, self._defaults)
        if self._last is None or (self._last.name, self._last.transcript) != (name, transcript):
            self._last = self._load(name, transcript)
        return request_of(line, self._defaults, self._last)

    def _load(self, name: str, transcript: str) -> ReferenceAudio:
        try:
            return self._references.load(name, transcript, self._max_reference_s)
        except OSError as error:
            raise BatchError("batch.reference.missing", name=name) from error
