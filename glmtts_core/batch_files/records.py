"""Lines of text as records of named values: a JSON object a line, or a bare text a line.

Knows nothing about which names there may be, but for the text's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from glmtts_core.batch_files.fields import FieldError
from glmtts_core.batch_files.text_file import TextLine
from glmtts_core.message import Message
from glmtts_core.quoting import quoted

Pairs = list[tuple[str, Any]]

#: Brackets inside a value's brackets that are kept: no field takes more than a plain value.
_DEPTH: Final = 4


@dataclass(frozen=True, slots=True)
class Record:
    """What one line holds.

    Attributes:
        number: of the line, or of the first one where the record runs over several.
        pairs: names and values in their order; None where there is a problem.
        problem: what is wrong; None where nothing is.
        excerpt: its beginning, for messages.
        last: number of its last line; 0 where it has one line only.
    """

    number: int
    pairs: Pairs | None
    problem: Message | None
    excerpt: str
    last: int = 0


class JsonObject(list[tuple[str, Any]]):
    """The pairs of an object in their order: a name that stands twice is not lost."""


def json_records(lines: Iterable[TextLine]) -> Iterator[Record]:
    """Yield one record a line, whatever stands in it."""
    for line in lines:
        if line.text is None:
            yield unreadable(line)
            continue
        try:
            yield Record(line.number, _json_pairs(line.text), None, line.excerpt)
        except FieldError as error:
            yield Record(line.number, None, error.message, line.excerpt)


def plain_records(lines: Iterable[TextLine]) -> Iterator[Record]:
    """Yield one record a line, whose text is the line."""
    for line in lines:
        if line.text is None:
            yield unreadable(line)
        else:
            yield Record(line.number, [("text", line.text.strip())], None, line.excerpt)


def unreadable(line: TextLine) -> Record:
    """Return the record of a line that cannot be read."""
    return Record(line.number, None, line.problem, line.excerpt)


def pairs_of(value: object) -> Pairs:
    """Return the pairs of a JSON value that was read with `JsonObject` for its objects.

    Raises:
        FieldError: it is no object.
    """
    if not isinstance(value, JsonObject):
        raise FieldError("batch.line.no_object", given=quoted(_as_written(value)))
    return [(name, _as_written(each)) for name, each in value]


def _json_pairs(text: str) -> Pairs:
    try:
        # lines that were cut out of a list end in a comma
        value = json.loads(text.rstrip().removesuffix(","), object_pairs_hook=JsonObject)
    except json.JSONDecodeError as error:
        position = error.pos + 1
        raise FieldError("batch.line.json", position=position) from error
    except (ValueError, RecursionError) as error:
        # a number of thousands of digits; brackets nested a thousand deep
        raise FieldError("batch.line.json_extreme") from error
    return pairs_of(value)


def _as_written(value: Any, depth: int = _DEPTH) -> Any:
    """Return a value with plain mappings for its objects; what lies deeper is left out."""
    if not isinstance(value, list):
        return value
    if isinstance(value, JsonObject):
        return {name: _as_written(each, depth - 1) for name, each in value} if depth else {}
    return [_as_written(each, depth - 1) for each in value] if depth else []
