"""``glmtts_inference.py say``: one text to one WAV file, and which voice the command line names."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from glmtts_core.audio import decode
from glmtts_core.catalogue import Language, text
from glmtts_core.cli.combinations import refuse_both, refuse_without
from glmtts_core.cli.paths import (
    STANDARD_OUTPUT,
    read_file,
    refuse_unwritable_wav,
    shown,
    write_file,
)
from glmtts_core.cli.stop import stop_requests
from glmtts_core.ending import STOPPED
from glmtts_core.engines.available import EngineFactory
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.engines.labels import progress_line
from glmtts_core.engines.voice_language import foreign_voice
from glmtts_core.errors import TextError
from glmtts_core.files import scratch_folder
from glmtts_core.sessions.session import Session, new_session_id, take_lease
from glmtts_core.settings import Settings
from glmtts_core.speech import ReferenceAudio, SpeechOptions, SynthesisRequest, checked
from glmtts_core.studio.jobs import Job, JobState
from glmtts_core.studio.studio import Studio
from glmtts_core.text.reading import Reading

MIB: Final = 2**20


def add_say_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``say`` and its options."""
    say = commands.add_parser("say", help="speak a text to a WAV file")
    say.add_argument("text", help="what to say; - reads it from the standard input")
    say.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the WAV file to write; - writes it to the standard output",
    )
    say.add_argument("--voice", help=help_of("voice"))
    say.add_argument("--second-voice", help=help_of("second_voice"))
    say.add_argument("--speed", type=float, default=1.0, help=help_of("speed"))
    say.add_argument("--sample-rate", type=int, default=24_000, help=help_of("sample_rate_hz"))
    add_speaker_options(say)
    say.add_argument("--seed", type=int, help=help_of("seed"))
    say.add_argument("--sampling", help=help_of("sampling"))
    say.add_argument("--history", action="store_true", help=help_of("history"))
    say.add_argument("--cpu", action="store_true", help="do not use a GPU")


def help_of(option: str) -> str:
    """Return what an option of speech does, in English as all help."""
    return text(f"speech.{option}.help", "en")


def add_speaker_options(parser: argparse.ArgumentParser) -> None:
    """Add what names engine and recording; `reference_of` reads the latter."""
    parser.add_argument("--engine", help=help_of("engine"))
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
    refuse_voice_and_recording(options)
    refuse_unwritable_wav(options.out)
    spoken = _standard_input() if options.text == "-" else options.text
    with scratch_folder() as scratch, stop_requests() as stop_requested:
        studio = Studio(settings.model_copy(update={"output_dir": scratch}), *engine_factories)
        try:
            session = Session(studio, new_session_id())
            # without a lease the session, and a result that is in memory only, ends with its job
            take_lease(studio, session.id)
            request = _request(options, spoken, studio)
            job = session.submit(request)
            capabilities = studio.engines.find(request.engine).capabilities
            tell_unused_seed(options.seed, capabilities, language)
            _tell_foreign_voice(request, capabilities, language)
            _tell_left_out(capabilities.reading(spoken), language)
            _show_progress(job, stop_requested, language)
            for message in studio.engines.find(job.engine).messages:
                print(message.text(language), file=sys.stderr)
            return _write_result(session, job, options.out, language)
        finally:
            studio.close()


def _request(options: argparse.Namespace, spoken: str, studio: Studio) -> SynthesisRequest:
    reference = reference_of(options, studio.settings.max_reference_s)
    can = studio.engines.find(options.engine).capabilities
    voice = options.voice
    if voice is None and reference is None and can.voice_cloning:
        voice = can.default_voice(spoken)
    asked = {
        "voice": voice,
        "second_voice": options.second_voice,
        "speed": options.speed,
        "sample_rate_hz": options.sample_rate,
        "seed": options.seed,
        "sampling": options.sampling,
        "history": options.history,
        "engine": can.engine,
    }
    chosen = checked(SpeechOptions, asked)
    return SynthesisRequest(text=spoken, reference=reference, **chosen.values())


def reference_of(options: argparse.Namespace, max_s: float) -> ReferenceAudio | None:
    """Return the recording that the command line names, or None where it names none.

    Raises:
        StorageError, AudioError: it cannot be read.
    """
    if options.reference is None:
        return None
    path: Path = options.reference
    name = shown(Path(path.name))
    audio = decode(read_file(path, "cli.no_recording"), name, max_s=max_s)
    return ReferenceAudio(audio.samples, audio.sample_rate_hz, name, options.reference_text or "")


def refuse_voice_and_recording(options: argparse.Namespace) -> None:
    """Refuse a voice beside a recording, and a transcript without one.

    Raises:
        RequestError: the sentence names the options.
    """
    cloned = options.reference is not None
    refuse_both("--voice", getattr(options, "voice", None) is not None, "--reference", cloned)
    refuse_without("--reference", cloned, "--reference-text", options.reference_text is not None)


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
