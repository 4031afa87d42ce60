"""In which order the lines of a run are spoken, and what the engine is asked for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from glmtts_core.batch.states import LineRow
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


def speaking_order(waiting: Iterable[LineRow], defaults: RunDefaults) -> list[LineRow]:
    """Return lines so that those which share a sample rate and a voice follow each other.

    A rate has its own part of the network, a voice its own prompt, and changing either costs work
    and memory. Groups come in the order of their first lines, and lines keep theirs within a group.
    A line that was being spoken when the process died comes after all others: should it be what
    ended the process, the others are safe. The outputs keep the input's order all the same.
    """
    rows = list(waiting)
    rates = _ranks(_rate(row.line, defaults) for row in rows)
    voices = _ranks(_voice(row.line, defaults) for row in rows)

    def key(row: LineRow) -> tuple[int, int, int, int]:
        return (
            row.status.crashes,
            rates[_rate(row.line, defaults)],
            voices[_voice(row.line, defaults)],
            row.position,
        )

    return sorted(rows, key=key)


def _ranks(keys: Iterable[object]) -> dict[object, int]:
    ranks: dict[object, int] = {}
    for key in keys:
        ranks.setdefault(key, len(ranks))
    return ranks


def _rate(line: BatchLine, defaults: RunDefaults) -> int:
    return line.sample_rate_hz or defaults.sample_rate_hz


def _voice(line: BatchLine, defaults: RunDefaults) -> Sequence[str | None]:
    reference = reference_name_of(line, defaults)
    if reference is None:
        return ("voice", line.voice or defaults.voice)
    return ("reference", reference, transcript_of(line, defaults))


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
