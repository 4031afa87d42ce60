"""The fields of a line: their names and aliases, their types, and what is said about wrong ones.

Knows nothing about files: it gets a mapping of names to values.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from glmtts_core.errors import BatchError
from glmtts_core.quoting import quoted

#: Names that a field goes by in files that people have; the first is the one of `LineFields`.
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "uttid": ("uttid", "output_name"),
    "text": ("text", "syn_text", "input_text"),
    "prompt_text": ("prompt_text",),
    "prompt_audio": ("prompt_audio", "prompt_speech"),
    "use_kv_cache": ("use_kv_cache",),
    "seed": ("seed",),
    "sample_rate": ("sample_rate",),
    "sampling": ("sampling",),
    "voice": ("voice",),
    "second_voice": ("second_voice",),
    "speed": ("speed",),
}
_FIELD_OF: Final = {alias: name for name, aliases in ALIASES.items() for alias in aliases}


class LineFields(BaseModel):
    """What a line may say; what it leaves out is up to the run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[str, Field(max_length=100_000)]
    uttid: Annotated[str, Field(max_length=200, coerce_numbers_to_str=True)] = ""
    prompt_text: Annotated[str, Field(max_length=5_000)] = ""
    prompt_audio: Annotated[str, Field(max_length=1_000)] | None = None
    use_kv_cache: bool | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    sample_rate: Annotated[int, Field(gt=0, le=384_000)] | None = None
    sampling: Annotated[str, Field(max_length=100)] | None = None
    voice: Annotated[str, Field(max_length=200)] | None = None
    second_voice: Annotated[str, Field(max_length=200)] | None = None
    speed: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] | None = None


class FieldError(BatchError):
    """One line cannot be used; the others can."""


class UnknownFieldError(FieldError):
    """A name that is no field's; ``close`` in its details, where there is a near one."""


def canonical(name: str) -> str:
    """Return the field that ``name`` stands for.

    Raises:
        UnknownFieldError: there is no such field; the sentence suggests the nearest name.
    """
    found = _FIELD_OF.get(name)
    if found is not None:
        return found
    close = difflib.get_close_matches(name.strip().lower(), _FIELD_OF, n=1)
    if close:
        raise UnknownFieldError("batch.line.unknown_close", name=quoted(name), close=close[0])
    known = ", ".join(_FIELD_OF)
    raise UnknownFieldError("batch.line.unknown", name=quoted(name), known=known)


def check_fields(pairs: Iterable[tuple[str, Any]]) -> LineFields:
    """Return the checked fields of one line; null and empty values count as left out.

    Raises:
        FieldError: an unknown name, a field given twice, a missing text or a value that cannot be.
    """
    values: dict[str, Any] = {}
    for name, value in pairs:
        known = canonical(name)
        if value is None or value == "":
            continue
        if known in values:
            raise FieldError("batch.line.twice", names=", ".join(ALIASES[known]))
        values[known] = value
    if "text" not in values:
        raise FieldError("batch.line.no_text", names=", ".join(ALIASES["text"]))
    try:
        return LineFields.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = str(first["loc"][0])
        raise _wrong_value(name, first["type"], values[name]) from error


def _wrong_value(name: str, kind: str, value: object) -> FieldError:
    if kind == "string_too_long":
        limit = max(each.max_length for each in _constraints(name))
        chars = len(str(value))
        return FieldError("batch.line.value_too_long", name=name, chars=chars, limit=limit)
    if kind == "string_unicode":
        return FieldError("batch.line.not_unicode", name=name)
    return FieldError(f"batch.line.value.{name}", given=quoted(value))


def _constraints(name: str) -> list[Any]:
    metadata: list[Any] = list(LineFields.model_fields[name].metadata)
    for part in getattr(LineFields.model_fields[name].annotation, "__args__", ()):
        metadata += list(getattr(part, "__metadata__", ()))
    return [each for each in metadata if hasattr(each, "max_length")]
