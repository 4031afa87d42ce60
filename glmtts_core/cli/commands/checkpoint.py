"""The commands ``check`` and ``download``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from glmtts_core.cli.task import Task

_Folder = Annotated[
    Path | None, typer.Option("--ckpt", parser=Path, metavar="FOLDER", help="command.ckpt")
]
_Site = Literal["huggingface", "modelscope"]


def check(folder: _Folder = None) -> Task:
    """Say what is there of the GLM-TTS checkpoint."""
    from glmtts_core.cli.checkpoint import check_checkpoint

    return partial(check_checkpoint, folder)


def download(
    source: Annotated[_Site, typer.Option(help="command.download.source")] = "huggingface",
    folder: _Folder = None,
) -> Task:
    """Fetch what is missing of it."""
    from glmtts_core.cli.checkpoint import download_checkpoint

    return partial(download_checkpoint, source, folder)
