"""Options that several commands share, and options that have no effect together.

Declarations only: what is merely asked for ``--help`` imports pydantic at most, and no numpy,
PyTorch or Streamlit. The help of an option
is the key of its sentence. Words and paths are taken as they are, and need not be valid Unicode.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from glmtts_core.cli.usage import WrongUsage
from glmtts_core.errors import RequestError

#: Where the app answers by default (`.streamlit/config.toml`).
APP_URL: Final = "http://127.0.0.1:7860"

Engine = Annotated[str | None, typer.Option(parser=str, metavar="NAME", help="speech.engine.help")]
Reference = Annotated[
    Path | None, typer.Option(parser=Path, metavar="FILE", help="command.reference")
]
ReferenceText = Annotated[
    str | None, typer.Option(parser=str, metavar="WORDS", help="command.reference_text")
]
Cpu = Annotated[bool, typer.Option("--cpu", help="command.cpu")]
Url = Annotated[str, typer.Option(parser=str, metavar="URL", help="command.url")]


def use_cpu(chosen: bool) -> None:
    """Have the settings, which are read later, name the CPU where ``chosen``."""
    if chosen:
        os.environ["GLMTTS_DEVICE"] = "cpu"


def whole_number(option: str) -> Callable[[str], int]:
    """Return what reads a whole number.

    Raises:
        WrongUsage: (what is returned) it is none.
    """

    def read(given: str) -> int:
        try:
            return int(given)
        except ValueError:
            raise WrongUsage("usage.no_number", option=option, given=given) from None

    return read


def refuse_without(needed: str, is_there: bool, option: str, given: bool) -> None:
    """Refuse ``option`` where ``needed``, without which it has no effect, is missing.

    Raises:
        RequestError: the sentence names both.
    """
    if given and not is_there:
        raise RequestError("cli.needs", option=option, needed=needed)


def refuse_both(option: str, given: bool, other: str, other_given: bool) -> None:
    """Refuse two options of which only one could be followed.

    Raises:
        RequestError: the sentence names both.
    """
    if given and other_given:
        raise RequestError("cli.excludes", option=option, other=other)
