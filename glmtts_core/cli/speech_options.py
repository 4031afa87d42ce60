"""The options of speech on the command line: one for each field of their model, named after it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Final, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from glmtts_core.cli.task import Task
from glmtts_core.cli.usage import WrongUsage
from glmtts_core.quoting import quoted
from glmtts_core.speech import wrong_value

#: Ends a field's name and not its flag's: the help names the unit.
_UNIT: Final = "_hz"
#: The parameter that commands take the given options in.
_PARAMETER: Final = "speech"

Command = Callable[..., Task]


def flag(field: str) -> str:
    """Return the flag of a field: ``--sample-rate`` of ``sample_rate_hz``."""
    return "--" + field.removesuffix(_UNIT).replace("_", "-")


def speech_options(model: type[BaseModel]) -> Callable[[Command], Command]:
    """Give a command an option for each field of ``model``, in place of its parameter ``speech``.

    The command gets them there as a mapping from fields to values. A value has the kind of its
    field; its bounds are left to the model. The help is the catalogue's ``speech.FIELD.help``.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def called(**given: Any) -> Task:
            return command(speech={name: given.pop(name) for name in model.model_fields}, **given)

        signature = inspect.signature(command, eval_str=True)
        parameters = []
        for parameter in signature.parameters.values():
            added = _parameters(model) if parameter.name == _PARAMETER else (parameter,)
            parameters += [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in added]
        called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        return called

    return decorate


def _parameters(model: type[BaseModel]) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=_annotation(name, field),
        )
        for name, field in model.model_fields.items()
    ]


def _kind(annotation: Any) -> type:
    """Return the plain type of a field's values, without bounds and None."""
    for part in (annotation, *get_args(annotation)):
        plain: type = get_args(part)[0] if get_origin(part) is Annotated else part
        if plain in (bool, int, float):
            return plain
    return str


def _annotation(name: str, field: FieldInfo) -> Any:
    option, kind, help_key = flag(name), _kind(field.annotation), f"speech.{name}.help"
    if kind is bool:
        if field.default is None:
            # what is left open can be switched on, and off
            option = f"{option}/--no-{option.removeprefix('--')}"
        return Annotated[bool | None, typer.Option(option, help=help_key)]

    def parse(given: Any) -> object:
        try:
            return kind(given)
        except ValueError:
            wrong = wrong_value(name, quoted(given))
            raise WrongUsage(wrong.key, **wrong.details) from None

    kind_shown = "NAME" if kind is str else "NUMBER"
    declared = typer.Option(option, parser=parse, metavar=kind_shown, help=help_key)
    return Annotated[Any, declared]
