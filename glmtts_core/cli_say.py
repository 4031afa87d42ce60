"""``glmtts_inference.py say``: one text to one WAV file, and which voice the command line names."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from glmtts_core.audio import decode
from glmtts_core.catalogue import Language, text
from glmtts_core.cli_stop import stop_requests
from glmtts_core.engines.available import EngineFactory
from glmtts_core.engines.base import ReferenceAudio, SynthesisRequest
from glmtts_core.engines.wording import progress_line
from glmtts_core.errors import StorageError, TextError
from glmtts_core.jobs import Job, JobState
from glmtts_core.session import Session, new_session_id, take_lease
from glmtts_core.settings import Settings
from glmtts_core.studio import Studio

MIB: Final = 2**20


def add_say_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``say`` and its options."""
    say = commands.add_parser("say", help="speak a text to a WAV file")
    say.add_argument("text", help="what to say; - reads it from the standard input")
    say.add_argument("--out", type=Path, required=True, help="the WAV file to write")
    say.add_argument("--voice", help="one of the engine's voices (default: the first)")
    say.add_argument("--speed", type=float, default=1.0, help="1.0 is natural")
    say.add_argument("--sample-rate", type=int, default=24_000, help="24000 or 32000")
    add_speaker_options(say)
    say.add_argument("--seed", type=int, help="the same seed gives the same audio")
    say.add_argument("--sampling", help="how speech tokens are drawn: ras or topk")
    say.add_argument(
        "--history", action="store_true", help="use the sentences already spoken as prompt history"
    )
    say.add_argument("--cpu", action="store_true", help="do not use a GPU")


def add_speaker_options(parser: argparse.ArgumentParser) -> None:
    """Add what names engine and recording; `reference_of` reads the latter."""
    parser.add_argument(
        "--engine", help="GLM-TTS or Kokoro-82M (default: GLM-TTS where it is there)"
    )
    parser.add_argument("--reference", type=Path, help="a recording whose voice GLM-TTS clones")
    parser.add_argument("--reference-text", help="what is said in the recording")


def say(
    options: argparse.Namespace,
    settings: Settings,
    language: Language,
    engine_factories: Sequence[EngineFactory],
) -> int:
    """Speak a text to a WAV file; return the exit code.

    Args:
        options: of the command line.
        settings: as they are in force.
        language: of the sentences.
        engine_factories: make the engines; none takes those that are on offer here.

    Raises:
        GLMTTSError: the request cannot be spoken, or the file cannot be written.
    """
    spoken = _standard_input() if options.text == "-" else options.text
    _refuse_unwritable(options.out)
    with tempfile.TemporaryDirectory() as scratch, stop_requests() as stop_requested:
        studio = Studio(
            settings.model_copy(update={"output_dir": Path(scratch)}), *engine_factories
        )
        try:
            session = Session(studio, new_session_id())
            # without a lease the session, and a result that is in memory only, ends with its job
            take_lease(studio, session.id)
            job = session.submit(_request(options, spoken, studio))
            _show_progress(job, stop_requested, language)
            for problem in studio.engines.find(job.engine).problems:
                print(problem.text(language), file=sys.stderr)
            return _write_result(session, job, options.out, language)
        finally:
            studio.close()


def _request(options: argparse.Namespace, spoken: str, studio: Studio) -> SynthesisRequest:
    reference = reference_of(options, studio.settings.max_reference_s)
    engine = studio.engines.find(options.engine)
    voices = engine.capabilities.voices
    voice = options.voice
    if voice is None and reference is None and voices:
        voice = voices[0].id
    return SynthesisRequest(
        spoken,
        voice,
        options.sample_rate,
        options.speed,
        seed=options.seed,
        sampling=options.sampling,
        use_history=options.history,
        reference=reference,
        engine=engine.capabilities.engine,
    )


def reference_of(options: argparse.Namespace, max_s: float) -> ReferenceAudio | None:
    """Return the recording that the command line names, or None where it names none.

    Raises:
        StorageError, AudioError: it cannot be read.
    """
    if options.reference is None:
        return None
    path: Path = options.reference
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageError("cli.no_file", path=path, reason=error.strerror or error) from error
    audio = decode(data, path.name, max_s=max_s)
    return ReferenceAudio(
        audio.samples, audio.sample_rate_hz, path.name, options.reference_text or ""
    )


def _show_progress(job: Job, stop_requested: Callable[[], bool], language: Language) -> None:
    shown = ""
    while not job.wait(0.2):
        if stop_requested():
            job.cancel()
        line = progress_line(job.view().progress, language)
        if line != shown and sys.stderr.isatty():
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
            shown = line
    if shown:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _write_result(session: Session, job: Job, out: Path, language: Language) -> int:
    view = job.view()
    if view.error is not None:
        print(view.error.text(language), file=sys.stderr)
        return 130 if view.state is JobState.CANCELLED else 1
    record = view.record
    if record is None:
        raise AssertionError("a finished synthesis has a record")
    try:
        out.write_bytes(session.history.wav(record.number))
    except OSError as error:
        raise StorageError("cli.cannot_write", path=out, reason=error.strerror or error) from error
    cost = record.memory_cost
    print(
        text(
            "cli.said",
            language,
            path=out,
            audio_s=f"{record.audio_s:.2f}",
            seconds=f"{record.seconds:.2f}",
            rtf=f"{record.rtf:.2f}",
            before=f"{cost.before.resident_set_bytes / MIB:.0f}",
            peak=f"{cost.peak.resident_set_bytes / MIB:.0f}",
            after=f"{cost.after.resident_set_bytes / MIB:.0f}",
        )
    )
    return 0


def _standard_input() -> str:
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise TextError("text.not_unicode") from error


def _refuse_unwritable(out: Path) -> None:
    """Fail before the synthesis, not after it."""
    folder = out.parent
    written = out if out.exists() else folder
    if not folder.is_dir() or out.is_dir() or not os.access(written, os.W_OK):
        raise StorageError("cli.cannot_write", path=out, reason=f"{folder}/")
