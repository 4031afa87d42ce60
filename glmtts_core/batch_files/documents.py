"""JSON that runs over lines as it likes: a list, an object with one list, or objects in a row.

A broken entry costs itself only: reading goes on where the next one seems to begin.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from glmtts_core.batch_files.fields import FieldError, field_of
from glmtts_core.batch_files.records import JsonObject, Record, pairs_of
from glmtts_core.batch_files.text_file import EXCERPT_CHARS, MAX_LINES
from glmtts_core.byte_units import MIB
from glmtts_core.errors import BatchError
from glmtts_core.message import Message
from glmtts_core.quoting import quoted

#: Largest file that is read as one document, in bytes; larger ones come as lines.
MAX_DOCUMENT_BYTES: Final = 64 * MIB
#: Names beside a list that are shown.
_NAMES_SHOWN: Final = 10
_DECODER: Final = json.JSONDecoder(object_pairs_hook=JsonObject)
#: Broken entries that are shown one by one: looking for the place of each takes its time.
_MOST_BROKEN: Final = 1_000
_BLANKS: Final = re.compile(r"[\s,]*")
#: Where the next entry seems to begin after a broken one: an object, or anything else.
_NEXT_OBJECT: Final = re.compile(r"[},][\s,]*(?=\{)|\n[ \t]*(?=\{)")
_NEXT_VALUE: Final = re.compile(r"[,\n][ \t]*(?=[\"{\[])")
_PLAIN_VALUE: Final = r'(?:"(?:[^"\\]|\\.)*"|[-+.\w]+)'
#: The beginning of an object up to its list of objects or texts.
_UP_TO_LIST: Final = re.compile(
    rf'\s*\{{\s*((?:"[^"\\]*"\s*:\s*{_PLAIN_VALUE}\s*,\s*)*)"[^"\\]*"\s*:\s*(?=\[\s*[{{"])'
)
_NAME: Final = re.compile(rf'"([^"\\]*)"\s*:\s*(?:{_PLAIN_VALUE}|[\[{{])')


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a document.

    Attributes:
        record: what it holds.
        start: where it begins in the text.
        end: where it ends.
    """

    record: Record
    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """A document as far as it could be read.

    Attributes:
        entries: in their order, without those that are null.
        notes: what to tell of the whole.
    """

    entries: tuple[Entry, ...]
    notes: tuple[Message, ...]


def first_value(text: str) -> tuple[object, int] | None:
    """Return the first JSON value and where it ends; None where it cannot be read."""
    start = len(text) - len(text.lstrip())
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return value, end


def wrapped_list(text: str) -> bool:
    """Whether the text is one object that holds a list of lines and is none itself."""
    found = first_value(text)
    if found is not None and isinstance(found[0], JsonObject):
        values = dict(found[0])
        lists = [each for each in values.values() if isinstance(each, list)]
        is_line = any(field_of(name) == "text" for name in values)
        if is_line or len(lists) != 1 or text[found[1] :].strip():
            return False
    return _UP_TO_LIST.match(text) is not None


def read_document(text: str) -> Document:
    """Return the entries of a document.

    Raises:
        BatchError: it has more entries than a file may have lines, or too many broken ones.
    """
    scan = _Scan(text)
    if wrapped_list(text):
        scan.open_wrapped_list()
    entries = tuple(scan.entries())
    notes = [Message("batch.file.cut_off")] if scan.in_list else []
    if scan.others:
        names = ", ".join(quoted(name) for name in scan.others[:_NAMES_SHOWN])
        notes.append(Message("batch.file.beside_list", {"names": names}))
    starts = [entry.record.number for entry in entries]
    if len(set(starts)) < len(starts):
        entries = tuple(
            replace(entry, record=replace(entry.record, number=number, last=0))
            for number, entry in zip(scan.numbers, entries, strict=True)
        )
        notes.append(Message("batch.file.entries"))
    return Document(entries, tuple(notes))


@dataclass
class _Scan:
    """Where the reading of a document stands.

    Attributes:
        text: of the document.
        at: where reading goes on.
        in_list: whether a list is open.
        others: names beside the list.
        numbers: of the entries among all, null ones included, from 1.
    """

    text: str
    at: int = 0
    in_list: bool = False
    others: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    _broken: int = 0
    _line: int = 1
    _counted: int = 0
    _wrapped: bool = False

    def open_wrapped_list(self) -> None:
        """Go to the first entry of the list that an object holds."""
        found = _UP_TO_LIST.match(self.text)
        if found is None:
            raise AssertionError("asked for a list that is not there")
        self.others += _NAME.findall(found[1])
        self.at, self.in_list, self._wrapped = found.end() + 1, True, True

    def entries(self) -> Iterator[Entry]:
        """Yield the entries."""
        count = 0
        while self._at_next():
            start = self.at
            count += 1
            if count > MAX_LINES:
                raise BatchError("batch.file.too_many_lines", limit=MAX_LINES)
            value, problem = self._value()
            if value is None and problem is None:
                continue
            self.numbers.append(count)
            yield self._entry(start, value, problem)

    def _at_next(self) -> bool:
        """Go to the next entry; False at the end."""
        while True:
            blanks = _BLANKS.match(self.text, self.at)
            self.at = blanks.end() if blanks else self.at
            sign = self.text[self.at : self.at + 1]
            if sign == "[" and not self.in_list:
                self.in_list = True
            elif sign == "]" and self.in_list:
                self.in_list = False
                if self._wrapped:
                    self.others += _NAME.findall(self.text, self.at)
                    return False
            else:
                return bool(sign)
            self.at += 1

    def _value(self) -> tuple[Any, Message | None]:
        """Return the value here, or what is wrong with it, and go behind it."""
        try:
            value, self.at = _DECODER.raw_decode(self.text, self.at)
        except json.JSONDecodeError as error:
            place = {"line": error.lineno, "position": error.colno}
            problem = Message("batch.entry.json", place)
            self._skip(error.pos)
        except (ValueError, RecursionError):
            problem = Message("batch.line.json_extreme")
            self._skip(self.at)
        else:
            return value, None
        self._broken += 1
        if self._broken > _MOST_BROKEN:
            line = self._line_at(self.at)
            raise BatchError("batch.file.broken", count=_MOST_BROKEN, line=line)
        return None, problem

    def _skip(self, broken_at: int) -> None:
        """Go behind a broken entry."""
        kind = _NEXT_OBJECT if self.text[self.at] == "{" else _NEXT_VALUE
        # the break may be noticed at the next entry's own beginning
        while broken_at > self.at + 1 and self.text[broken_at - 1] in " \t\r\n,":
            broken_at -= 1
        found = kind.search(self.text, max(self.at + 1, broken_at))
        if found is not None:
            closes = found[0].startswith("}")
            self.at = found.start() + closes
            return
        end = len(self.text.rstrip())
        if self.in_list and self.text[:end].endswith("]") and end - 1 > self.at:
            end -= 1
        self.at = end

    def _entry(self, start: int, value: Any, problem: Message | None) -> Entry:
        first = self._line_at(start)
        last = first + self.text.count("\n", start, self.at)
        cut = self.text[start : min(self.at, start + 2 * EXCERPT_CHARS)]
        excerpt = " ".join(cut.split())[:EXCERPT_CHARS].encode("utf-8", "replace").decode()
        record = Record(first, None, problem, excerpt, last if last > first else 0)
        if problem is None:
            try:
                pairs = [("text", value)] if isinstance(value, str) else pairs_of(value)
                record = replace(record, pairs=pairs)
            except FieldError as wrong:
                record = replace(record, problem=wrong.message)
        return Entry(record, start, self.at)

    def _line_at(self, position: int) -> int:
        self._line += self.text.count("\n", self._counted, position)
        self._counted = position
        return self._line
