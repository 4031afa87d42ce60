"""A batch file as checked lines: JSON, a table or bare texts in, every line accounted for.

Knows nothing about engines and recordings: `dry_run` asks those.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import BinaryIO

from glmtts_core.batch_files.documents import MAX_DOCUMENT_BYTES, read_document
from glmtts_core.batch_files.fields import (
    FieldError,
    IgnoredFields,
    LineFields,
    check_fields,
    field_of,
)
from glmtts_core.batch_files.layouts import Layout, layout_of
from glmtts_core.batch_files.lines import BatchInput, BatchLine, LineProblem
from glmtts_core.batch_files.naming import Names
from glmtts_core.batch_files.records import Record, json_records, plain_records
from glmtts_core.batch_files.table_reader import table_records
from glmtts_core.batch_files.text_file import TextFile, open_text
from glmtts_core.errors import BatchError
from glmtts_core.message import Message
from glmtts_core.quoting import quoted


def read_batch(source: BinaryIO | bytes, name: str = "") -> BatchInput:
    """Read a batch file line by line.

    Args:
        source: the file, opened for reading bytes and able to seek, or its bytes.
        name: its name, whose ending tells the layout; see `layout_of`.

    Raises:
        BatchError: no line at all, no text, too many lines, or a table without a usable header.
    """
    file = open_text(io.BytesIO(source) if isinstance(source, bytes) else source)
    layout = layout_of(file, name)
    ignored, notes = IgnoredFields(), list[Message]()
    names = Names()
    lines: list[BatchLine] = []
    problems: list[LineProblem] = []
    spans: dict[int, int] = {}
    for record in _records(file, layout, notes):
        line = _line(record, names, ignored)
        if isinstance(line, BatchLine):
            lines.append(line)
        else:
            problems.append(line)
        if record.last:
            spans[record.number] = record.last
    if not lines and not problems:
        raise BatchError("batch.file.empty")
    if layout.format == "txt":
        notes.append(Message("batch.file.plain"))
    if (message := ignored.message()) is not None:
        notes.append(message)
    return BatchInput(
        tuple(lines),
        tuple(problems),
        file.encoding.label,
        layout.format,
        separator=layout.separator,
        notes=tuple(notes),
        spans=spans,
    )


def _records(file: TextFile, layout: Layout, notes: list[Message]) -> Iterable[Record]:
    """Return the file's records; messages about the whole file are added to ``notes``."""
    if layout.format == "jsonl":
        return json_records(file.lines())
    if layout.format == "txt":
        return plain_records(file.lines())
    if layout.format != "json":
        return table_records(file.all_lines(), layout.separator)
    document = read_document(file.whole(MAX_DOCUMENT_BYTES) or "")
    notes += document.notes
    return (entry.record for entry in document.entries)


def _line(record: Record, names: Names, ignored: IgnoredFields) -> BatchLine | LineProblem:
    if record.problem is not None:
        return _set_aside(record, record.problem)
    try:
        fields = check_fields(record.pairs or [], ignored)
    except FieldError as error:
        return _set_aside(record, error.message)
    uttid = fields.uttid.strip() or names.make_up(record.number)
    before = names.line_of(uttid)
    if before is not None:
        twice = Message("batch.line.duplicate", {"uttid": quoted(uttid), "line": before})
        return _set_aside(record, twice)
    return _batch_line(record.number, uttid, names.take(uttid, record.number), fields)


def _set_aside(record: Record, problem: Message) -> LineProblem:
    pairs = record.pairs or []
    uttid = next((value for name, value in pairs if value and field_of(name) == "uttid"), "")
    shown = quoted(uttid) if isinstance(uttid, str | int) else ""
    return LineProblem(record.number, shown, problem, record.excerpt)


def _batch_line(number: int, uttid: str, stem: str, fields: LineFields) -> BatchLine:
    return BatchLine(
        number=number,
        uttid=uttid,
        file_stem=stem,
        text=fields.text,
        prompt_text=fields.prompt_text,
        prompt_audio=fields.prompt_audio,
        **fields.given(),
    )
