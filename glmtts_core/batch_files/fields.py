"""The fields of a line: their names and aliases, their types, and what is said about wrong ones.

Knows nothing about files: it gets a mapping of names to values.
"""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from glmtts_core.errors import BatchError
from glmtts_core.message import Message
from glmtts_core.quoting import quoted
from glmtts_core.speech import OPTION_NAMES, SpeechOverride, wrong_value

#: How alike an unknown name and a known one are for a misspelling (difflib's ratio): "texd" is,
#: "speaker" is not.
_CLOSE: Final = 0.74
#: Longest name that is looked at for misspellings.
_MOST_NAME_CHARS: Final = 40
#: Ignored names that are counted, and those that are shown before an ellipsis.
_MOST_IGNORED: Final = 1_000
_IGNORED_SHOWN: Final = 10
#: Unknown names that are shown where the text is missing: it may go by one of them.
_UNKNOWN_SHOWN: Final = 3
_DECIMAL_COMMA: Final = re.compile(r"\s*\d+,\d+\s*")


def _finite(value: object) -> object:
    """Refuse NaN and infinity, which would be coerced to Python's words for them."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not a finite number")
    return value


class LineFields(SpeechOverride):
    """What a line may say; what it leaves out is up to the run."""

    text: Annotated[str, Field(max_length=100_000)]
    uttid: Annotated[
        str, Field(max_length=200, coerce_numbers_to_str=True), BeforeValidator(_finite)
    ] = ""
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
#: The names in files of every field of `LineFields`, its own fields first.
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    name: _FILE_NAMES.get(name, (name,))
    for name in (*LineFields.__annotations__, *SpeechOverride.model_fields)
}
_FIELD_OF: Final = {alias: name for name, aliases in ALIASES.items() for alias in aliases}


class FieldError(BatchError):
    """One line cannot be used; the others can."""


class IgnoredFields:
    """The names that mean nothing here, each with the number of lines that have it."""

    def __init__(self) -> None:
        self._lines: Counter[str] = Counter()

    def note(self, name: str) -> None:
        """Note that one more line has a field of this name."""
        shown = quoted(name)
        # of lines that have a thousand other names, the first thousand are shown
        if shown in self._lines or len(self._lines) < _MOST_IGNORED:
            self._lines[shown] += 1

    def message(self) -> Message | None:
        """Return what to tell of them; None where there are none."""
        if not self._lines:
            return None
        listed = [f"{name} ({count:,})" for name, count in self._lines.most_common(_IGNORED_SHOWN)]
        names = ", ".join(listed) + " …" * (len(self._lines) > _IGNORED_SHOWN)
        return Message("batch.file.ignored", {"names": names, "known": known_names()})


def known_names() -> str:
    """Return all names that mean something, for messages."""
    return ", ".join(_FIELD_OF)


def text_names() -> str:
    """Return the names of the text's field, for messages."""
    return ", ".join(ALIASES["text"])


def field_of(name: str) -> str | None:
    """Return the field that ``name`` stands for, whatever the case of its letters."""
    return _FIELD_OF.get(name) or _FIELD_OF.get(name.strip().casefold())


@lru_cache(maxsize=1_000)
def close_name(name: str) -> str | None:
    """Return the known name that ``name`` is a misspelling of, or None."""
    if len(name) > _MOST_NAME_CHARS:
        return None
    close = difflib.get_close_matches(name.strip().casefold(), _FIELD_OF, n=1, cutoff=_CLOSE)
    return close[0] if close else None


def check_fields(pairs: Iterable[tuple[str, Any]], ignored: IgnoredFields) -> LineFields:
    """Return the checked fields of one line; null and empty values count as left out.

    Args:
        pairs: names and values.
        ignored: takes the names that mean nothing here.

    Raises:
        FieldError: a misspelt name, a field given twice, a missing text or a value that cannot be.
    """
    values: dict[str, Any] = {}
    others: list[str] = []
    for name, value in pairs:
        known = field_of(name)
        if value is None or value == "":
            continue
        if known is None:
            others.append(name)
            continue
        if known in values:
            raise FieldError("batch.line.twice", names=", ".join(ALIASES[known]))
        values[known] = value
    for name in others:
        refuse_misspelt(name, values)
    if "text" not in values:
        raise _without_text(others)
    for name in others:
        ignored.note(name)
    try:
        return LineFields.model_validate(_with_decimal_point(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _wrong_value(first, values[str(first["loc"][0])]) from error


def refuse_misspelt(name: str, given: Container[str]) -> None:
    """Refuse a name close to that of a field which is not among the fields that are ``given``.

    Such a name was hardly meant to be ignored, while a field that is there was not misspelt.

    Raises:
        FieldError: the sentence suggests the known name.
    """
    close = close_name(name)
    if close is not None and _FIELD_OF[close] not in given:
        raise FieldError("batch.line.unknown_close", name=quoted(name), close=close)


def _without_text(others: Sequence[str]) -> FieldError:
    if not others:
        return FieldError("batch.line.no_text", names=text_names())
    unknown = ", ".join(quoted(name) for name in others[:_UNKNOWN_SHOWN])
    unknown += " …" * (len(others) > _UNKNOWN_SHOWN)
    return FieldError("batch.line.no_text_but_unknown", names=text_names(), unknown=unknown)


def _with_decimal_point(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with a speed such as "1,2" as Excel writes it in half of Europe."""
    speed = values.get("speed")
    if isinstance(speed, str) and "," in speed and _DECIMAL_COMMA.fullmatch(speed):
        values["speed"] = speed.replace(",", ".")
    return values


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
        wrong = wrong_value(field, quoted(value))
        return FieldError(wrong.key, **wrong.details)
    return FieldError(f"batch.line.value.{field}", given=quoted(value))
