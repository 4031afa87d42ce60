"""The command line: which commands there are, and how one is understood and run.

``--help`` imports none of them: a command's module is imported when the command is named, and what
it works with when it is run.
"""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.main import get_command

from glmtts_core.catalogue import LANGUAGES, Language, text
from glmtts_core.cli.help_frame import translate_frame
from glmtts_core.cli.task import Invocation, Task
from glmtts_core.cli.usage import WRONG_USAGE, WrongUsage, usage_sentence
from glmtts_core.errors import GLMTTSError
from glmtts_core.places import COMMAND

if TYPE_CHECKING:
    from glmtts_core.engines.available import EngineFactory

#: The modules of `commands` by the commands that they declare, as functions of the same name.
COMMANDS: Final = {
    "start": "start",
    "say": "say",
    "read": "read",
    "batch": "batch",
    "cleanup": "cleanup",
    "doctor": "doctor",
    "check": "checkpoint",
    "download": "checkpoint",
    "parity": "parity",
}


def main(arguments: Sequence[str] | None = None, *engine_factories: EngineFactory) -> int:
    """Run one command; return the exit code: 0 done, 1 failed, 2 wrong usage, 130 stopped.

    Args:
        arguments: of the command line; None takes the process's own.
        engine_factories: of the engines; none takes those that are on offer here.
    """
    given = sys.argv[1:] if arguments is None else arguments
    language = _language(os.environ.get("GLMTTS_LANGUAGE"))
    try:
        task = parse(given, language)
        if task is None:
            return 0
        from glmtts_core.settings import load_settings  # heavy, and --help needs none

        settings = load_settings()
        language = _language(settings.language)
        return task(Invocation(settings, language, engine_factories))
    except typer.TyperException as error:
        command = " ".join([COMMAND, *(name for name in given[:1] if name in COMMANDS)])
        print(usage_sentence(error, command, language), file=sys.stderr)
        return WRONG_USAGE
    except GLMTTSError as error:
        print(error.text(language), file=sys.stderr)
        return WRONG_USAGE if isinstance(error, WrongUsage) else 1


def parse(arguments: Sequence[str], language: Language) -> Task | None:
    """Return what the arguments ask for, or None where that was help, which is shown.

    Raises:
        TyperException, WrongUsage: they are not understood.
        RequestError: their options have no effect together.
    """
    commands = ", ".join(COMMANDS)
    if not arguments:
        raise WrongUsage("usage.no_command_given", commands=commands)
    named = arguments[0]
    if named not in COMMANDS and not named.startswith("-"):
        raise WrongUsage("usage.no_command", given=named, commands=commands)
    group = _group(named, language)
    answer = group.main(list(arguments), prog_name=COMMAND, standalone_mode=False)
    # help answers with an exit code
    return answer if callable(answer) else None


def _group(named: str, language: Language) -> TyperGroup:
    """Return all commands; only the named one has its options, the others can be listed."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help=text("command.studio", language),
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in COMMANDS:
        declared = _declaration(name) if name == named else _not_named
        app.command(name, help=text(f"command.{name}", language))(declared)
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    for command in (group, *group.commands.values()):
        translate_frame(command, language)
    for parameter in group.commands[named].params if named in group.commands else ():
        if isinstance(parameter, TyperArgument | TyperOption) and parameter.help:
            # a declaration gives the key of its sentence
            parameter.help = text(parameter.help, language)
    return group


def _declaration(name: str) -> Callable[..., Task]:
    declaration: Callable[..., Task] = getattr(
        import_module(f"{__package__}.commands.{COMMANDS[name]}"), name
    )
    return declaration


def _not_named() -> None:
    """Stand in for a command that is only listed."""


def _language(wanted: str | None) -> Language:
    """Return ``wanted``, or the shell's language where that is none of ours."""
    for language in LANGUAGES:
        if wanted == language:
            return language
    # the environment first: the C library knows only locales that are installed
    named = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return "zh" if (named or locale.getlocale()[0] or "").lower().startswith("zh") else "en"
