"""The command ``cleanup``."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import typer

from glmtts_core.cli.options import APP_URL, Url, refuse_without
from glmtts_core.cli.task import Task

_Level = Literal["trim", "offload", "unload"]


def cleanup(
    url: Url = APP_URL,
    level: Annotated[_Level, typer.Option(help="command.cleanup.level")] = "trim",
    force: Annotated[bool, typer.Option("--force", help="command.cleanup.force")] = False,
) -> Task:
    """Ask a running app to give memory back."""
    from glmtts_core.cli.cleanup import ask_for_cleanup

    refuse_without("--level unload", level == "unload", "--force", force)
    return partial(ask_for_cleanup, url, level, force)
