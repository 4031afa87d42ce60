"""What stands around the sentences of a help text, in the user's language: Typer has it in English.

Knows nothing about which commands and options there are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from typer._click.core import Command, Context  # Typer exports none of these
from typer._click.formatting import HelpFormatter
from typer.core import TyperGroup

from glmtts_core.catalogue import Language, text

_HEADINGS: Final = {
    "Arguments": "help.arguments",
    "Options": "help.options",
    "Commands": "help.commands",
}
_SHOW_HELP: Final = "Show this message and exit."
#: The Python type that Typer writes behind an argument's name.
_TYPE: Final = re.compile(r" <\w+>$")
_DEFAULT: Final = re.compile(r"\[default: (.*)\]$", re.DOTALL)
_REQUIRED: Final = "[required]"


def translate_frame(command: Command, language: Language) -> None:
    """Have the help of ``command`` show its headings and remarks in ``language``."""
    command.context_class = _context_class(language)
    command.options_metavar = text("help.some_options", language)
    if isinstance(command, TyperGroup):
        command.subcommand_metavar = text("help.a_command", language)


def _context_class(language: Language) -> type[Context]:
    class Formatter(HelpFormatter):
        """Writes a help text in one language."""

        def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
            super().write_usage(prog, args, prefix or text("help.usage", language) + " ")

        def write_heading(self, heading: str) -> None:
            self.write(f"{'':>{self.current_indent}}{text(_HEADINGS[heading], language)}\n")

        def write_dl(
            self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
        ) -> None:
            translated = [(_TYPE.sub("", name), _remarks(told, language)) for name, told in rows]
            super().write_dl(translated, col_max, col_spacing)

    class LanguageContext(Context):
        """What a command is called with; its help is in one language."""

        formatter_class = Formatter

    return LanguageContext


def _remarks(told: str, language: Language) -> str:
    """Return an option's sentence with what Typer says behind it."""
    if told == _SHOW_HELP:
        return text("help.show_help", language)
    if told.endswith(_REQUIRED):
        return told.removesuffix(_REQUIRED) + f"[{text('help.required', language)}]"
    return _DEFAULT.sub(lambda found: f"[{text('help.default', language, value=found[1])}]", told)
