"""A command line that is not understood, in one sentence."""

from __future__ import annotations

from typing import Final

import typer
from typer._click.exceptions import (  # Typer exports none of these
    BadOptionUsage,
    MissingParameter,
    NoSuchOption,
)

from glmtts_core.catalogue import Language, text
from glmtts_core.errors import GLMTTSError

#: Exit code.
WRONG_USAGE: Final = 2


class WrongUsage(GLMTTSError):  # noqa: N818 - named as the exit code
    """A command that does not exist, or a value that is none of its option's kind."""


def usage_sentence(error: typer.TyperException, command: str, language: Language) -> str:
    """Return what is wrong with the options of ``command``, and how to learn what is right."""
    reason = _reason(error, language)
    return text("usage.help", language, reason=reason, command=command)


def _reason(error: typer.TyperException, language: Language) -> str:
    key, details = "usage.too_many", {}
    match error:
        case MissingParameter(param=parameter) if parameter is not None:
            name = parameter.opts[0]
            key, details = "usage.missing", {"name": name if "-" in name else name.upper()}
        case NoSuchOption(option_name=option, possibilities=[close, *_]):
            key, details = "usage.no_option_close", {"option": option, "close": close}
        case NoSuchOption(option_name=option):
            key = "usage.no_option" if option.startswith("--") else "usage.no_short_option"
            details = {"option": option}
        case BadOptionUsage(option_name=option):
            key, details = "usage.no_value", {"option": option}
        case typer.BadParameter(param=parameter) if parameter is not None:
            choices = ", ".join(parameter.type_descriptor.choices or ())
            key, details = "usage.no_choice", {"option": parameter.opts[0], "choices": choices}
    return text(key, language, **details)
