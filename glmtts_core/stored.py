"""Reading back what was kept as JSON: nothing is guessed; an error names the file and the field.

A word that this version does not know may come from a newer one as well as from damage.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from glmtts_core.catalogue import LANGUAGES
from glmtts_core.errors import StorageError
from glmtts_core.files import open_regular, write_whole
from glmtts_core.message import Message
from glmtts_core.quoting import quoted

#: For every value that is kept on disk: no other names, no converted types, no NaN or infinity.
STRICT: Final = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
#: How many of something, or bytes.
Count = Annotated[int, Field(ge=0, le=2**62)]
#: A duration, or a Unix time (up to the year 9999).
Seconds = Annotated[float, Field(ge=0, le=253_402_300_799)]
T = TypeVar("T")


class StrictModel(BaseModel):
    """An immutable value with no other fields than its own, and no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _in_any_time_zone(moment: datetime) -> datetime:
    # the first and the last year of the calendar exist in some time zones only
    if not datetime.min.year < moment.year < datetime.max.year:
        raise ValueError(f"the year {moment.year}")
    return moment


#: A moment with its time zone, which every other zone can write too.
Moment = Annotated[AwareDatetime, AfterValidator(_in_any_time_zone)]


def _known_message(message: Message) -> Message:
    """Return ``message``, or where another version has written it, one that says so."""
    try:
        for language in LANGUAGES:
            message.text(language)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError):
        # another sentence, or values that do not fit its placeholders
        return Message("stored.unknown_reason", {"key": message.key})
    return message


#: A message that can be shown, whichever version has written it.
StoredMessage = Annotated[Message, AfterValidator(_known_message)]

_MISSING: Final = ("missing", "missing_argument")
_UNKNOWN_FIELD: Final = ("extra_forbidden", "unexpected_keyword_argument")


def write_stored(path: Path, value: BaseModel) -> None:
    """Write ``value`` as JSON, whole or not at all; the folder is made if it is missing.

    Raises:
        StorageError: the folder cannot be written.
    """
    try:
        write_whole(path, value.model_dump_json().encode())
    except OSError as error:
        reason = error.strerror or error
        raise StorageError("storage.write", folder=path.parent, reason=reason) from error


def read_stored(path: Path) -> bytes:
    """Return the bytes of a kept file.

    Raises:
        StorageError: it is not there or cannot be read.
    """
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        raise unreadable(path, error) from error


def read_lines(path: Path, kind: TypeAdapter[T]) -> Iterator[T]:
    """Yield the value in each line of a file.

    Raises:
        StorageError: the file cannot be read, or a line holds something else.
    """
    for number, line in enumerate(read_stored(path).splitlines(), 1):
        yield value_from(line, kind, path, number)


def value_from(raw: bytes, kind: TypeAdapter[T], path: Path, line: int | None = None) -> T:
    """Return the value that ``raw`` holds as JSON.

    Args:
        raw: of the whole file, or of one line.
        kind: what it must be.
        path: where it was read, for messages.
        line: number of the line, from 1; None for a whole file.

    Raises:
        StorageError: it is something else; says where and what.
    """
    try:
        return kind.validate_json(_whole_characters(raw), strict=True)
    except ValidationError as error:
        raise _refusal(error, path, line) from error


def json_text(value: object) -> str:
    """Return plain values as JSON; half surrogate pairs, which are no text, are replaced."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()


def unreadable(path: Path, error: OSError) -> StorageError:
    """Return the error for a file that the system does not let us read."""
    return StorageError("stored.unreadable", path=path, reason=error.strerror or str(error))


def _whole_characters(raw: bytes) -> bytes:
    """Return the same JSON with half surrogate pairs, which are no text, replaced."""
    if b"\\ud" not in raw.lower():
        return raw
    try:
        written = json.dumps(json.loads(raw), ensure_ascii=False)
    except (ValueError, RecursionError):
        # validation says what is wrong
        return raw
    return written.encode("utf-8", "replace")


def _refusal(error: ValidationError, path: Path, line: int | None) -> StorageError:
    first: Any = error.errors(include_url=False, include_context=False)[0]
    place = f"{path}" if line is None else f"{path}:{line}"
    field = ".".join(map(str, first["loc"]))
    if not field:
        return StorageError("stored.damaged", place=place)
    field = quoted(field)
    if first["type"] in _MISSING:
        return StorageError("stored.missing", place=place, field=field)
    if first["type"] in _UNKNOWN_FIELD:
        return StorageError("stored.unknown_field", place=place, field=field)
    value = quoted(first["input"])
    return StorageError("stored.unknown_value", place=place, field=field, value=value)
