"""``say``: one text to one WAV file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from glmtts_core.byte_units import MIB
from glmtts_core.catalogue import Language, text
from glmtts_core.cli.paths import STANDARD_OUTPUT, refuse_unwritable_wav, shown, write_file
from glmtts_core.cli.recording import Recording
from glmtts_core.cli.stop import stop_requests
from glmtts_core.cli.task import Invocation
from glmtts_core.cli.terminal import StatusLine
from glmtts_core.ending import STOPPED
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.engines.labels import progress_line
from glmtts_core.engines.voice_language import foreign_voice
from glmtts_core.errors import TextError
from glmtts_core.files import scratch_folder
from glmtts_core.sessions.session import Session, new_session_id, take_lease
from glmtts_core.speech import SpeechOptions, SynthesisRequest, checked
from glmtts_core.studio.jobs import Job, JobState
from glmtts_core.studio.studio import Studio
from glmtts_core.text.reading import Reading


def speak_to_file(
    words: str,
    out: Path,
    speech: Mapping[str, Any],
    recording: Recording | None,
    invocation: Invocation,
) -> int:
    """Speak a text to a WAV file; return the exit code.

    Args:
        words: what to say; - reads it from the standard input.
        out: the file; - is the standard output.
        speech: the options of speech.
        recording: what to clone.
        invocation: what the command is run with.

    Raises:
        GLMTTSError: the request cannot be spoken, or the file cannot be written.
    """
    language = invocation.language
    refuse_unwritable_wav(out)
    spoken = _standard_input() if words == "-" else words
    with scratch_folder() as scratch, stop_requests() as stop_requested:
        scratched = invocation.settings.model_copy(update={"output_dir": scratch})
        studio = Studio(scratched, *invocation.engine_factories)
        try:
            session = Session(studio, new_session_id())
            # without a lease the session, and a result that is in memory only, ends with its job
            take_lease(studio, session.id)
            request = _request(spoken, speech, recording, studio)
            job = session.submit(request)
            capabilities = studio.engines.find(request.engine).capabilities
            tell_unused_seed(request.seed, capabilities, language)
            _tell_foreign_voice(request, capabilities, language)
            _tell_left_out(capabilities.reading(spoken), language)
            _show_progress(job, stop_requested, language)
            for message in studio.engines.find(job.engine).messages:
                print(message.text(language), file=sys.stderr)
            return _write_result(session, job, out, language)
        finally:
            studio.close()


def _request(
    spoken: str, speech: Mapping[str, Any], recording: Recording | None, studio: Studio
) -> SynthesisRequest:
    reference = None if recording is None else recording.audio(studio.settings.max_reference_s)
    can = studio.engines.find(speech["engine"]).capabilities
    voice = speech["voice"]
    if voice is None and reference is None and can.voice_cloning:
        voice = can.default_voice(spoken)
    options = checked(SpeechOptions, {**speech, "engine": can.engine, "voice": voice})
    return SynthesisRequest(text=spoken, reference=reference, **options.values())


def tell_unused_seed(seed: int | None, capabilities: Capabilities, language: Language) -> None:
    """Say that a seed changes nothing, where that is so."""
    if seed is not None and not capabilities.seed:
        print(text("cli.seed_unused", language, engine=capabilities.engine), file=sys.stderr)


def _tell_foreign_voice(
    request: SynthesisRequest, capabilities: Capabilities, language: Language
) -> None:
    """Say that the voice has an accent in the text's language, where that is so."""
    found = foreign_voice(request, capabilities)
    if found is not None:
        print(found.message(found.native.id).text(language), file=sys.stderr)


def _tell_left_out(reading: Reading, language: Language) -> None:
    """Say what of the text will not be heard."""
    if reading.left_out:
        parts = " ".join(reading.left_out)
        print(text("read.left_out", language, parts=parts), file=sys.stderr)


def _show_progress(job: Job, stop_requested: Callable[[], bool], language: Language) -> None:
    with StatusLine() as status:
        while not job.wait(0.2):
            if stop_requested():
                job.cancel()
            progress = job.view().progress
            status.update(progress_line(progress, language), progress.fraction)


def _write_result(session: Session, job: Job, out: Path, language: Language) -> int:
    view = job.view()
    if view.error is not None:
        print(view.error.text(language), file=sys.stderr)
        return STOPPED if view.state is JobState.CANCELLED else 1
    record = view.record
    if record is None:
        raise AssertionError("a finished synthesis has a record")
    wav = session.history.wav(record.number)
    if out == STANDARD_OUTPUT:
        sys.stdout.buffer.write(wav)
        sys.stdout.buffer.flush()
    else:
        write_file(out, wav)
    cost = record.memory_cost
    print(
        text(
            "cli.said",
            language,
            path=shown(out),
            audio_s=f"{record.audio_s:.2f}",
            seconds=f"{record.seconds:.2f}",
            rtf=f"{record.rtf:.2f}",
            before=f"{cost.before.resident_set_bytes / MIB:.0f}",
            peak=f"{cost.peak.resident_set_bytes / MIB:.0f}",
            after=f"{cost.after.resident_set_bytes / MIB:.0f}",
        ),
        file=sys.stderr if out == STANDARD_OUTPUT else sys.stdout,
    )
    return 0


def _standard_input() -> str:
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise TextError("text.not_unicode") from error
