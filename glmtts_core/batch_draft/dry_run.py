"""Every line checked before the first is spoken: against the engine, and its reference.

Knows what an engine says it can do; loads none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from glmtts_core.batch_draft.hints import ReadingHints, VoiceHints
from glmtts_core.batch_files.lines import (
    BatchInput,
    BatchLine,
    LineProblem,
    RunDefaults,
    reference_name_of,
    request_for,
    request_of,
    transcript_of,
)
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.batch_files.text_file import excerpt_of
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.engines.checks import check_choices, check_request
from glmtts_core.engines.glmtts.reference_check import check_reference, recording_hints
from glmtts_core.errors import GLMTTSError
from glmtts_core.message import Message
from glmtts_core.quoting import quoted
from glmtts_core.settings import Settings
from glmtts_core.speech import ReferenceAudio, SpeechOverride

#: Lines between two reports of progress.
_REPORT_EVERY_LINES: Final = 1_000


def dry_run(
    batch: BatchInput,
    defaults: RunDefaults,
    references: ReferenceFolder,
    capabilities: Capabilities,
    settings: Settings,
    on_progress: Callable[[float], None] = lambda _: None,
) -> BatchInput:
    """Check every line; each recording is decoded and judged once.

    Returns:
        The lines that can be spoken, their references by their names inside the folder, and all
        that are set aside, in the file's order: those that could not be read and those that the
        engine or a reference refuses; and hints about recordings, voices and what is left out,
        which stop nothing.

    Args:
        batch: the read file.
        defaults: what holds for lines that say nothing else.
        references: where the recordings lie.
        capabilities: what the engine can do.
        settings: for the longest text and the longest reference.
        on_progress: receives the checked fraction, 0 to 1.
    """
    known = _KnownReferences(
        references, settings.max_reference_s, cloning=capabilities.voice_cloning
    )
    voices, readings = VoiceHints(capabilities.voices), ReadingHints()
    ready: list[BatchLine] = []
    problems = list(batch.problems)
    for index, line in enumerate(batch.lines):
        if index % _REPORT_EVERY_LINES == 0:
            on_progress(index / len(batch.lines))
        try:
            ready.append(_checked(line, defaults, known, capabilities, settings.max_text_chars))
        except GLMTTSError as error:
            problems.append(_problem(line, error))
        else:
            readings.note(line.number, capabilities.reading(line.text))
            if reference_name_of(line, defaults) is None:
                request = capabilities.with_voice(request_of(line, defaults, None))
                voices.note(line.number, line.text, (request.voice, request.second_voice))
    problems.sort(key=lambda problem: problem.number)
    hints = (*known.hints, *voices.hints(), *readings.hints())
    return replace(batch, lines=tuple(ready), problems=tuple(problems), hints=hints)


def check_defaults(
    defaults: RunDefaults, capabilities: Capabilities, references: ReferenceFolder | None = None
) -> None:
    """Check what holds for all lines of a run that say nothing else, before it is made.

    Args:
        defaults: of the run.
        capabilities: what its engine can do.
        references: where the recordings lie; None does not look for the recording.

    Raises:
        RequestError: the engine cannot do this.
        BatchError: there is no such recording.
    """
    reference = None
    if defaults.reference_name is not None:
        if references is not None:
            references.find(defaults.reference_name)
        silence = np.zeros(0, np.float32)
        reference = ReferenceAudio(silence, capabilities.sample_rates[0].hz, "")
    check_choices(request_for("", SpeechOverride(), defaults, reference), capabilities)


def missing_from(
    lines: Iterable[BatchLine], done: Mapping[str, str]
) -> tuple[tuple[BatchLine, ...], int]:
    """Return the lines still to be spoken, and the number already done.

    A line whose text or settings changed is spoken again.

    Args:
        lines: of the corrected file.
        done: `BatchLine.input_hash` by name, of the lines that are spoken already.
    """
    todo: list[BatchLine] = []
    count = 0
    for line in lines:
        count += 1
        if done.get(line.uttid) != line.input_hash:
            todo.append(line)
    return tuple(todo), count - len(todo)


class _KnownReferences:
    """Looks up, decodes and checks each recording once; remembers the result or the error.

    Attributes:
        hints: what would make the voices better, as far as recordings were looked at.
        digests: `BatchLine.recording` by the name inside the folder.
    """

    def __init__(self, folder: ReferenceFolder, max_s: float, *, cloning: bool) -> None:
        self.hints: list[Message] = []
        self.digests: dict[str, str] = {}
        self._folder = folder
        self._max_s = max_s
        self._cloning = cloning
        self._found: dict[str, ReferenceAudio | GLMTTSError] = {}
        self._by_name: dict[str, ReferenceAudio | GLMTTSError] = {}

    def find(self, given: str) -> ReferenceAudio:
        """Return the recording without its samples, under its name inside the folder.

        Raises:
            GLMTTSError: there is none, or it cannot be used.
        """
        known = self._found.get(given)
        if known is None:
            known = self._found[given] = self._look_up(given)
        if isinstance(known, GLMTTSError):
            # a fresh one: raised again and again, one and the same grows by every traceback
            raise type(known)(known.message.key, **known.message.details)
        return known

    def _look_up(self, given: str) -> ReferenceAudio | GLMTTSError:
        try:
            name = self._folder.find(given)
        except GLMTTSError as error:
            return error
        known = self._by_name.get(name)
        if known is None:
            known = self._by_name[name] = self._judged(name)
        return known

    def _judged(self, name: str) -> ReferenceAudio | GLMTTSError:
        try:
            loaded = self._folder.load(name, "", self._max_s)
            self.digests[name] = self._folder.digest(name)
            if self._cloning:
                shown = replace(loaded, name=quoted(name))
                check_reference(shown)
                self.hints += recording_hints(shown)
        except GLMTTSError as error:
            return error
        # a thousand recordings are not kept in memory: that it can be used is known now
        return replace(loaded, samples=loaded.samples[:1].copy())


def _checked(
    line: BatchLine,
    defaults: RunDefaults,
    known: _KnownReferences,
    capabilities: Capabilities,
    max_text_chars: int,
) -> BatchLine:
    reference = None
    given = reference_name_of(line, defaults)
    if given is not None:
        transcript = transcript_of(line, defaults)
        reference = replace(known.find(given), transcript=transcript)
    check_request(request_of(line, defaults, reference), capabilities, max_text_chars)
    if reference is None:
        return line
    recording = known.digests[reference.name]
    if line.prompt_audio is None:
        return line.changed(recording=recording)
    return line.changed(prompt_audio=reference.name, recording=recording)


def _problem(line: BatchLine, error: GLMTTSError) -> LineProblem:
    excerpt = excerpt_of(line.text)
    return LineProblem(line.number, line.uttid, error.message.plain(), excerpt)
