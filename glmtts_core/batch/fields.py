"""The fields of a line: their names and aliases, their types, and what is said about wrong ones.

Knows nothing about files: it gets a mapping of names to values.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from glmtts_core.errors import BatchError
from glmtts_core.quoting import quoted
from glmtts_core.speech import OPTION_NAMES, SpeechOverride


class LineFields(SpeechOverride):
    """What a line may say; what it leaves out is up to the run."""

    text: Annotated[str, Field(max_length=100_000)]
    uttid: Annotated[str, Field(max_length=200, coerce_numbers_to_str=True)] = ""
    prompt_text: Annotated[str, Field(max_length=5_000)] = ""
    prompt_audio: Annotated[str, Field(max_length=1_000)] | None = None


#: What files call the fields whose own names they do not have; the first is what messages say.
_FILE_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "uttid": ("uttid", "output_name"),
    "text": ("text", "syn_text", "input_text"),
    "prompt_audio": ("prompt_audio", "prompt_speech"),
    "history": ("use_kv_cache",),
    "sample_rate_hz": ("sample_rate",),
}
#: The names in files of every field of `LineFields`.
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    name: _FILE_NAMES.get(name, (name,)) for name in LineFields.model_fields
}
_FIELD_OF: Final = {alias: name for name, aliases in ALIASES.items() for alias in aliases}


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
        first = error.errors(include_url=False)[0]
        raise _wrong_value(first, values[str(first["loc"][0])]) from error


def _wrong_value(error: ErrorDetails, value: object) -> FieldError:
    field = str(error["loc"][0])
    name = ALIASES[field][0]
    if error["type"] == "string_too_long":
        limit = error["ctx"]["max_length"]
        return FieldError(
            "batch.line.value_too_long", name=name, chars=len(str(value)), limit=limit
        )
    if error["type"] == "string_unicode":
        return FieldError("batch.line.not_unicode", name=name)
    if field in OPTION_NAMES:
        return FieldError(f"speech.{field}.wrong", given=quoted(value))
    return FieldError(f"batch.line.value.{field}", given=quoted(value))
