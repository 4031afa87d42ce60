"""The command ``doctor``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from glmtts_core.cli.options import APP_URL, Cpu, Engine, Reference, ReferenceText, Url, use_cpu
from glmtts_core.cli.task import Task


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="command.doctor.json")] = False,
    url: Url = APP_URL,
    engine: Engine = None,
    reference: Reference = None,
    reference_text: ReferenceText = None,
    cpu: Cpu = False,
) -> Task:
    """Check that everything works on this machine."""
    from glmtts_core.cli.doctor import check_all
    from glmtts_core.cli.recording import Recording

    use_cpu(cpu)
    return partial(check_all, url, engine, Recording.named(reference, reference_text), as_json)
