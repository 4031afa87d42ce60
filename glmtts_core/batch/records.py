"""Lines of text as records of named values: JSON objects, or rows of a table with a header.

Knows nothing about which names there may be.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from glmtts_core.batch.fields import FieldError, UnknownFieldError, canonical
from glmtts_core.batch.reading import TextLine
from glmtts_core.errors import BatchError
from glmtts_core.message import Message
from glmtts_core.quoting import quoted

Pairs = list[tuple[str, Any]]

#: Most lines that a quoted value of a table may run over: a quote left open ends there at last.
_MAX_ROW_LINES: Final = 50


@dataclass(frozen=True, slots=True)
class Record:
    """What one line holds.

    Attributes:
        number: of the line, or of the first one where a table's row runs over several.
        pairs: names and values in their order; None where there is a problem.
        problem: what is wrong; None where nothing is.
        excerpt: its beginning, for messages.
    """

    number: int
    pairs: Pairs | None
    problem: Message | None
    excerpt: str


def json_records(lines: Iterable[TextLine]) -> Iterator[Record]:
    """Yield one record a line, whatever stands in it."""
    for line in lines:
        if line.text is None:
            yield _unreadable(line)
            continue
        try:
            yield Record(line.number, _json_pairs(line.text), None, line.excerpt)
        except FieldError as error:
            yield Record(line.number, None, error.message, line.excerpt)


class _JsonObject(list[tuple[str, Any]]):
    """The pairs of an object in their order: a name that stands twice is not lost."""


def _json_pairs(text: str) -> Pairs:
    try:
        value = json.loads(text, object_pairs_hook=_JsonObject)
    except json.JSONDecodeError as error:
        position = error.pos + 1
        raise FieldError("batch.line.json", position=position) from error
    except (ValueError, RecursionError) as error:
        # a number of thousands of digits; brackets nested a thousand deep
        raise FieldError("batch.line.json_extreme") from error
    if not isinstance(value, _JsonObject):
        raise FieldError("batch.line.no_object", given=quoted(value))
    return value


def table_records(lines: Iterable[TextLine], delimiter: str) -> Iterator[Record]:
    """Yield one record a row; the first row names the columns.

    A quoted value may run over several lines. A quote that is never closed costs its own line
    only: reading goes on at the next.

    Raises:
        BatchError: the header cannot be read, names an unknown column or none for the text.
    """
    waiting = deque[TextLine]()
    rest = iter(lines)

    def next_line() -> TextLine | None:
        return waiting.popleft() if waiting else next(rest, None)

    first = next_line()
    if first is None:
        return
    columns = _columns(first, delimiter)
    while (line := next_line()) is not None:
        if line.text is None:
            yield _unreadable(line)
            continue
        taken = [line]
        try:
            row = _row(taken, next_line, delimiter)
            if any(row):
                yield Record(line.number, _table_pairs(columns, row), None, line.excerpt)
        except FieldError as error:
            yield Record(line.number, None, error.message, line.excerpt)
            waiting.extendleft(reversed(taken[1:]))


def _row(taken: list[TextLine], next_line: Any, delimiter: str) -> list[str]:
    """Return the values of the row that begins with ``taken``, which grows by what it reads."""
    parts = [taken[0].text or ""]
    while True:
        try:
            return next(csv.reader(parts, delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            if "unexpected end of data" not in str(error):
                raise FieldError("batch.line.quotes") from error
            following = next_line() if len(taken) < _MAX_ROW_LINES else None
            if following is not None:
                taken.append(following)
            if following is None or following.text is None:
                raise FieldError("batch.line.open_quote") from error
            parts[-1] += "\n"
            parts.append(following.text)


def _columns(header: TextLine, delimiter: str) -> list[str]:
    try:
        names = [name.strip() for name in _row([header], lambda: None, delimiter)]
        fields = [canonical(name) for name in names]
    except UnknownFieldError as error:
        near = "close" in error.message.details
        key = "batch.file.unknown_column_close" if near else "batch.file.unknown_column"
        raise BatchError(key, **error.message.details) from error
    except FieldError as error:
        raise BatchError("batch.file.header", header=header.excerpt) from error
    if "text" not in fields:
        raise BatchError("batch.file.no_text_column", header=header.excerpt)
    return names


def _table_pairs(columns: Sequence[str], row: Sequence[str]) -> Pairs:
    if len(row) > len(columns):
        raise FieldError("batch.line.columns", count=len(row), expected=len(columns))
    return list(zip(columns, row, strict=False))


def _unreadable(line: TextLine) -> Record:
    return Record(line.number, None, line.problem, line.excerpt)
