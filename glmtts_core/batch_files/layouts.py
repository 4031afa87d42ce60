"""What a batch file is: JSON, a table or bare texts, judged by its name and its first lines.

A file of JSON that is damaged must not be taken for bare texts, and so spoken with its brackets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import PurePath
from typing import Final, NamedTuple

from glmtts_core.batch_files.documents import MAX_DOCUMENT_BYTES, first_value, wrapped_list
from glmtts_core.batch_files.fields import ALIASES, field_of
from glmtts_core.batch_files.lines import InputFormat
from glmtts_core.batch_files.table_reader import first_rows, named_separator
from glmtts_core.batch_files.text_file import TextFile, TextLine
from glmtts_core.byte_units import MIB
from glmtts_core.errors import BatchError

_JSON_SUFFIXES: Final = frozenset({".jsonl", ".ndjson", ".json"})
_TABLE_SEPARATORS: Final = {".csv": ",", ".tsv": "\t"}
#: Separators that tables come with: of the standard, of Excel in half of Europe, of copied cells,
#: of databases, and those that a Chinese keyboard types.
_SEPARATORS: Final = (",", ";", "\t", "|", "，", "；")
_START_BYTES: Final = 4_096
#: Most words of a column's name.
_NAME_WORDS: Final = 3
_SENTENCE_ENDS: Final = (".", "。", "!", "！", "?", "？", "…")
_JSON_START: Final = re.compile(r"""\{\s*(?:["'}]|\w+\s*:|$)|\[\s*(?:\[\s*[\[{"]|[{"\]]|$)""")
_NAMES: Final = "|".join(name for aliases in ALIASES.values() for name in aliases)
#: A line of JSON, whole or not: an object's beginning, or one of our names in quotes.
_JSON_LINE: Final = re.compile(rf"""\s*[\[,]*\s*(?:\{{\s*["']|["'](?:{_NAMES})["']\s*:)""")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out.

    Attributes:
        format: what it is.
        separator: of a table's columns; empty where there is one column only, and elsewhere.
    """

    format: InputFormat
    separator: str = ""


def layout_of(file: TextFile, name: str) -> Layout:
    """Return how ``file`` is laid out.

    The ending of its name decides between JSON and a table. Without a known ending (pasted text,
    ``.txt``) a file is JSON where a line looks so, a table where its first line names columns, and
    bare texts otherwise.

    Raises:
        BatchError: the lines are rows of a table without a first row that names the columns, or no
            text.
    """
    suffix = PurePath(name).suffix.lower()
    start = file.beginning(_START_BYTES)
    if suffix in _JSON_SUFFIXES or _JSON_START.match(start.lstrip()):
        return Layout(_json_format(file, start))
    if suffix in _TABLE_SEPARATORS:
        return _table(file, _TABLE_SEPARATORS[suffix])
    first, second = _first_two(file)
    return Layout("txt") if first is None else _without_ending(file, start, first, second)


def _without_ending(file: TextFile, start: str, first: TextLine, second: TextLine | None) -> Layout:
    """Return how a file of unknown ending that does not begin as JSON is laid out."""
    table = _table_without_ending(file)
    if table is not None and table.separator in _TABLE_SEPARATORS.values():
        return table
    if any(_JSON_LINE.match(line.text or "") for line in file.lines()):
        return Layout("jsonl")
    if table is None and field_of(first.text or "") == "text" and second is not None:
        table = Layout("csv")
    if table is not None:
        return table
    if "\0" in start:
        raise BatchError("batch.file.no_text")
    _refuse_headless(file)
    return Layout("txt")


def _first_two(file: TextFile) -> tuple[TextLine | None, TextLine | None]:
    both = list(islice(file.lines(), 2))
    return both[0] if both else None, both[1] if len(both) > 1 else None


# -- JSON --------------------------------------------------------------------------------------


def _json_format(file: TextFile, start: str) -> InputFormat:
    """Return whether each line is an object by itself, or the file is one document."""
    first, second = _first_two(file)
    begins = start.lstrip()[:1]
    if first is None or begins not in ("{", "["):
        return "jsonl"
    found = first_value(first.text or "")
    if found is not None and not (first.text or "")[found[1] :].strip():
        alone = second is None and (begins == "[" or wrapped_list(first.text or ""))
        return "json" if alone else "jsonl"
    if begins == "{" and _is_damaged_line(file, first, second):
        return "jsonl"
    if file.whole(MAX_DOCUMENT_BYTES) is None:
        raise BatchError("batch.file.document_too_large", limit=MAX_DOCUMENT_BYTES // MIB)
    return "json"


def _is_damaged_line(file: TextFile, first: TextLine, second: TextLine | None) -> bool:
    """Whether the first line is a damaged JSONL line, not the start of a multi-line document."""
    if second is None:
        found = first_value(first.text or "")
        return found is None or not (first.text or "")[found[1] :].lstrip(" ,").startswith("{")
    text = file.whole(MAX_DOCUMENT_BYTES)
    found = None if text is None else first_value(text)
    if text is not None and found is not None:
        return "\n" not in text[: found[1]].strip()
    return any(_is_object(line.text or "") for line in islice(file.lines(), 1, None))


def _is_object(line: str) -> bool:
    found = first_value(line) if line.lstrip().startswith("{") else None
    return found is not None and not line[found[1] :].strip()


# -- tables ------------------------------------------------------------------------------------


def _table(file: TextFile, usual: str) -> Layout:
    """Return the table with the separator that gives the most known column names."""
    first = next(file.lines(), None)
    named = None if first is None else named_separator(first)
    candidates = dict.fromkeys([each for each in (named, usual) if each] + [*_SEPARATORS])
    headers = {each: first_rows(file.all_lines(), each)[0] for each in candidates}
    best = max(candidates, key=lambda each: _known_cells(headers[each]))
    if named is None and first is not None and all(len(each) < 2 for each in headers.values()):
        return Layout(_of_separator(usual).format)
    return _of_separator(best)


def _of_separator(separator: str) -> Layout:
    return Layout("tsv" if separator == "\t" else "csv", separator)


def _known_cells(cells: list[str]) -> int:
    return sum(field_of(name) is not None for name in cells)


def _table_without_ending(file: TextFile) -> Layout | None:
    """Return the table of several columns that a file of unknown ending is, or None.

    Its first line names nothing but known columns, the text's among them; or it names some of them,
    and the next row has as many values. A sentence may hold the word "text" between commas, too.
    """
    layout = _table(file, ",")
    first = next(file.lines(), None)
    if first is not None and named_separator(first) is not None:
        return layout
    cells, row = first_rows(file.all_lines(), layout.separator)
    known = _known_cells(cells)
    names_only = known + cells.count("") == len(cells)
    names_text = any(field_of(name) == "text" for name in cells)
    is_header = (names_only and names_text) or (
        known > 0 and len(row) == len(cells) and _may_be_names(cells)
    )
    return layout if len(cells) > 1 and is_header else None


def _may_be_names(cells: list[str]) -> bool:
    """Whether these may be names of columns, and no clauses of a sentence."""
    filled = [name for name in cells if name]
    return not filled[-1].endswith(_SENTENCE_ENDS) and all(
        len(name.split()) <= _NAME_WORDS for name in filled
    )


def _refuse_headless(file: TextFile) -> None:
    """Refuse lines that all have as many values between tabs or bars: names would be spoken.

    Names of columns above them, with anything else between, do not make them texts.
    """
    texts = (line.text.strip() for line in file.lines() if line.text is not None)
    first = next(texts, "")
    rows = texts if _only_names(first) else chain([first], texts)
    counts = _Counts.of(next(rows, ""))
    number = 1 + _only_names(first)
    for text in rows:
        number += 1
        counts = counts.shared(_Counts.of(text))
        if not any(counts):
            return
    if number > 1 and counts.tabs:
        raise BatchError("batch.file.no_header_tabs", count=counts.tabs + 1)
    if number > 1 and counts.bars:
        raise BatchError("batch.file.no_header_bars", count=counts.bars + 1)


class _Counts(NamedTuple):
    """How many tabs and bars each of some lines has; 0 where they differ."""

    tabs: int
    bars: int

    @classmethod
    def of(cls, text: str) -> _Counts:
        return cls(text.count("\t"), text.count("|"))

    def shared(self, other: _Counts) -> _Counts:
        return _Counts(
            *(ours if ours == theirs else 0 for ours, theirs in zip(self, other, strict=True))
        )


def _only_names(text: str) -> bool:
    words = [word for word in re.split(r"[\s,;|，；]+", text) if word]
    return bool(words) and all(field_of(word) for word in words)
