"""The command ``parity``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from glmtts_core.cli.options import Cpu, use_cpu
from glmtts_core.cli.task import Task


def parity(
    cpu: Cpu = False,
    no_rehearsal: Annotated[
        bool, typer.Option("--no-rehearsal", help="command.parity.no_rehearsal")
    ] = False,
) -> Task:
    """Compare GLM-TTS with its reference, for a report."""
    from glmtts_core.cli.parity import print_parity

    use_cpu(cpu)
    return partial(print_parity, not no_rehearsal)
