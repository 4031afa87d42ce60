"""Lines of text as rows of a table whose first row names the columns."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from glmtts_core.batch_files.fields import FieldError, field_of, refuse_misspelt
from glmtts_core.batch_files.records import Pairs, Record, unreadable
from glmtts_core.batch_files.text_file import TextLine
from glmtts_core.errors import BatchError
from glmtts_core.message import Message
from glmtts_core.quoting import quoted

#: Most lines that a quoted value may run over: a quote left open ends there at last.
_MAX_ROW_LINES: Final = 1_000
#: Separator for tables of one column: a character that never occurs in a text.
_NEVER: Final = "\x1f"
#: The line that Excel writes and reads before the first row: ``sep=;``.
_SEPARATOR_LINE: Final = re.compile(r'\s*"?sep=([^\w"])"?\1*', re.IGNORECASE)


#: Rows below the header that are looked at for one that can be read.
_ROWS_TRIED: Final = 3


class _Lines:
    """Lines, of which some may be given back to be read once more."""

    def __init__(self, lines: Iterable[TextLine]) -> None:
        self._rest = iter(lines)
        self._again = deque[TextLine]()

    def next(self) -> TextLine | None:
        return self._again.popleft() if self._again else next(self._rest, None)

    def next_row(self) -> TextLine | None:
        """Return the next line that is not blank: outside of quotes, blank ones mean nothing."""
        while (line := self.next()) is not None and line.is_blank:
            pass
        return line

    def header(self) -> TextLine | None:
        """Return the line that names the columns; one that names the separator is passed over."""
        line = self.next_row()
        return line if line is None or named_separator(line) is None else self.next_row()

    def give_back(self, lines: Sequence[TextLine]) -> None:
        self._again.extendleft(reversed(lines))


def table_records(lines: Iterable[TextLine], separator: str) -> Iterator[Record]:
    """Yield one record a row; the first row names the columns.

    A quoted value may run over several lines. A quote that is never closed costs its own line
    only: reading goes on at the next.

    Args:
        lines: of the file.
        separator: of the columns; empty where there is one column only.

    Raises:
        BatchError: the header cannot be read, has a misspelt column or none for the text.
    """
    source = _Lines(lines)
    separator = separator or _NEVER
    header = source.header()
    if header is None:
        return
    columns = _columns(header, _header_cells(header, source, separator))
    while (line := source.next_row()) is not None:
        if line.text is None:
            yield unreadable(line)
            continue
        row = _Row(line, source)
        try:
            values = row.read(separator)
            if any(values):
                pairs = _pairs(columns, values)
                yield Record(line.number, pairs, None, line.excerpt, row.last)
        except FieldError as error:
            yield Record(line.number, None, error.message, line.excerpt, row.last)


def named_separator(line: TextLine) -> str | None:
    """Return the separator that a line ``sep=;`` names; None for any other line."""
    found = _SEPARATOR_LINE.fullmatch(line.text or "")
    return found[1] if found else None


def first_rows(lines: Iterable[TextLine], separator: str) -> tuple[list[str], list[str]]:
    """Return the values of the header, and of the next row that can be read; none where none can.

    Args:
        lines: of the file.
        separator: as for `table_records`.
    """
    source = _Lines(lines)
    separator = separator or _NEVER
    header = source.header()
    if header is None:
        return [], []
    cells = _header_cells(header, source, separator)
    for _ in range(_ROWS_TRIED):
        line = source.next_row()
        if line is not None and (row := _readable(line, source, separator)):
            return cells, row
    return cells, []


def _header_cells(header: TextLine, source: _Lines, separator: str) -> list[str]:
    """Return the columns' names; none where they cannot be read."""
    return [name.strip() for name in _readable(header, source, separator)]


def _readable(line: TextLine, source: _Lines, separator: str) -> list[str]:
    """Return the values of the row that ``line`` begins; none where it cannot be read."""
    try:
        return [] if line.text is None else _Row(line, source).read(separator)
    except FieldError:
        return []


class _Row:
    """The lines of one row: as many as its quoted values run over."""

    def __init__(self, first: TextLine, source: _Lines) -> None:
        self._taken = [first]
        self._source = source
        self._problem: Message | None = None

    @property
    def last(self) -> int:
        """Number of the last line; 0 where there is one line only."""
        return self._taken[-1].number if len(self._taken) > 1 else 0

    def read(self, separator: str) -> list[str]:
        """Return the values.

        Raises:
            FieldError: the quotes do not match, in which case only the first line is taken; or one
                of the lines cannot be read.
        """
        try:
            reader = csv.reader(
                self._texts(),
                delimiter=separator,
                strict=True,
                # people write a blank behind the separator, which must not hide a quote
                skipinitialspace=separator != " ",
            )
            values = next(reader, [])
        except csv.Error as error:
            several = len(self._taken) > 1
            self._source.give_back(self._taken[1:])
            del self._taken[1:]
            raise _row_problem(str(error), several=several) from error
        if self._problem is not None:
            raise FieldError(self._problem.key)
        return values

    def _texts(self) -> Iterator[str]:
        """Yield the first line, and each further one that the open quote asks for."""
        yield f"{self._taken[0].text}\n"
        while len(self._taken) < _MAX_ROW_LINES and (line := self._source.next()) is not None:
            self._taken.append(line)
            self._problem = self._problem or line.problem
            yield f"{line.excerpt if line.text is None else line.text}\n"


def _row_problem(error: str, *, several: bool) -> FieldError:
    """Return what to say of an error of the csv module, which tells its kind in words only."""
    too_large = "field larger" in error
    if "unexpected end of data" in error or (too_large and several):
        return FieldError("batch.line.open_quote")
    if too_large:
        return FieldError("batch.line.value_huge", limit=csv.field_size_limit())
    return FieldError("batch.line.quotes")


def _columns(header: TextLine, names: list[str]) -> list[str]:
    """Return the columns' names; nameless ones get their number, the last ones are left out.

    Raises:
        BatchError: as `table_records`.
    """
    while names and not names[-1]:
        names = names[:-1]
    fields = {field for name in names if (field := field_of(name)) is not None}
    try:
        for name in names:
            if field_of(name) is None:
                refuse_misspelt(name, fields)
    except FieldError as error:
        raise BatchError("batch.file.unknown_column_close", **error.message.details) from error
    if not names:
        raise BatchError("batch.file.header", header=quoted(header.excerpt))
    if "text" not in fields:
        raise BatchError("batch.file.no_text_column", header=quoted(header.excerpt))
    return [name or f"#{number}" for number, name in enumerate(names, 1)]


def _pairs(columns: Sequence[str], row: Sequence[str]) -> Pairs:
    """Return names and values; separators behind the last named column mean nothing.

    Raises:
        FieldError: a value stands behind the last named column.
    """
    count = len(row)
    while count > len(columns) and not row[count - 1].strip():
        count -= 1
    if count > len(columns):
        raise FieldError("batch.line.columns", count=count, expected=len(columns))
    return list(zip(columns, row, strict=False))
