"""The command ``start``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from glmtts_core.cli.options import Cpu, use_cpu
from glmtts_core.cli.task import Task


def start(
    host: Annotated[
        str, typer.Option(parser=str, metavar="HOST", help="command.start.host")
    ] = "127.0.0.1",
    port: Annotated[
        str, typer.Option(parser=str, metavar="PORT", help="command.start.port")
    ] = "7860",
    cpu: Cpu = False,
) -> Task:
    """Start the server of the pages."""
    from glmtts_core.cli.start import start_server

    use_cpu(cpu)
    return partial(start_server, host, port)
