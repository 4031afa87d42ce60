"""The command ``say``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from glmtts_core.cli.options import Cpu, Reference, ReferenceText, refuse_both, use_cpu
from glmtts_core.cli.speech_options import speech_options
from glmtts_core.cli.task import Task
from glmtts_core.speech import SpeechOptions


@speech_options(SpeechOptions)
def say(
    text: Annotated[str, typer.Argument(parser=str, metavar="TEXT", help="command.say.text")],
    out: Annotated[Path, typer.Option(parser=Path, metavar="FILE", help="command.say.out")],
    speech: Mapping[str, Any],
    reference: Reference = None,
    reference_text: ReferenceText = None,
    cpu: Cpu = False,
) -> Task:
    """Speak a text to a WAV file."""
    from glmtts_core.cli.recording import Recording
    from glmtts_core.cli.say import speak_to_file

    use_cpu(cpu)
    refuse_both("--voice", speech["voice"] is not None, "--reference", reference is not None)
    recording = Recording.named(reference, reference_text)
    return partial(speak_to_file, text, out, speech, recording)
