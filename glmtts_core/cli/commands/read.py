"""The command ``read``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from glmtts_core.cli.task import Task


def read(
    text: Annotated[
        str | None, typer.Argument(parser=str, metavar="TEXT", help="command.read.text")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="command.read.json")] = False,
) -> Task:
    """Show how a text will be read aloud, without sound."""
    from glmtts_core.cli.read import print_readings

    return partial(print_readings, text, as_json)
