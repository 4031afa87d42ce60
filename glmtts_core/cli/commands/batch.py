"""The command ``batch``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from glmtts_core.cli.options import (
    Cpu,
    Engine,
    ReferenceText,
    refuse_both,
    refuse_without,
    use_cpu,
    whole_number,
)
from glmtts_core.cli.speech_options import flag, speech_options
from glmtts_core.cli.task import Task
from glmtts_core.errors import BatchError
from glmtts_core.speech import SpeechOverride

_Mode = Literal["auto", "never"]
_EVERY = "--cleanup-every"


@speech_options(SpeechOverride)
def batch(
    file: Annotated[Path, typer.Argument(parser=Path, metavar="FILE", help="command.batch.file")],
    out: Annotated[Path, typer.Option(parser=Path, metavar="FOLDER", help="command.batch.out")],
    speech: Mapping[str, Any],
    resume: Annotated[bool, typer.Option("--resume", help="command.batch.resume")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="command.batch.retry_failed")
    ] = False,
    override: Annotated[bool, typer.Option("--override", help="command.batch.override")] = False,
    engine: Engine = None,
    references: Annotated[
        Path | None, typer.Option(parser=Path, metavar="FOLDER", help="command.batch.references")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(parser=str, metavar="NAME", help="command.batch.reference")
    ] = None,
    reference_text: ReferenceText = None,
    cleanup: Annotated[_Mode | None, typer.Option(help="command.batch.cleanup")] = None,
    cleanup_every: Annotated[
        int | None,
        typer.Option(parser=whole_number(_EVERY), metavar="K", help="command.batch.cleanup_every"),
    ] = None,
    cpu: Cpu = False,
) -> Task:
    """Speak a file of lines."""
    from glmtts_core.cli.batch import BatchCommand, run_batch
    from glmtts_core.cli.batch_settings import RunWish

    use_cpu(cpu)
    refuse_without("--resume", resume, "--retry-failed", retry_failed)
    refuse_without("--resume", resume, "--override", override)
    for voice in ("voice", "second_voice"):
        named = speech[voice] is not None
        refuse_both(flag(voice), named, "--reference", reference is not None)
    if cleanup_every is not None and cleanup_every < 1:
        raise BatchError("cli.cleanup_every", given=cleanup_every)
    wish = RunWish(speech, engine, reference, reference_text, cleanup, cleanup_every)
    asked = BatchCommand(file, out, references, wish, resume, retry_failed, override)
    return partial(run_batch, asked)
