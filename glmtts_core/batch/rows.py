"""A batch file as checked lines: JSONL, CSV or TSV in, every line accounted for.

Knows nothing about engines and recordings: `dry_run` asks those.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import PurePath
from typing import BinaryIO, Final

from glmtts_core.batch.fields import ALIASES, FieldError, LineFields, check_fields
from glmtts_core.batch.lines import BatchInput, BatchLine, InputFormat, LineProblem
from glmtts_core.batch.naming import Names
from glmtts_core.batch.reading import TextLine, detect_encoding, text_lines
from glmtts_core.batch.records import Record, json_records, table_records
from glmtts_core.errors import BatchError
from glmtts_core.message import Message
from glmtts_core.quoting import quoted

_FORMAT_BY_SUFFIX: Final[dict[str, InputFormat]] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
}
_DELIMITERS: Final = {"csv": ",", "tsv": "\t"}


def read_batch(source: BinaryIO | bytes, name: str = "") -> BatchInput:
    """Read a batch file line by line.

    Args:
        source: the file, opened for reading bytes and able to seek, or its bytes.
        name: its name, whose ending tells the format; without a known one (pasted text) the first
            line tells it.

    Raises:
        BatchError: no line at all, UTF-16, too many lines, or a table without a usable header.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    encoding = detect_encoding(file)
    kind = _format_of(name, next(text_lines(file, encoding), None))
    names = Names()
    lines: list[BatchLine] = []
    problems: list[LineProblem] = []
    for record in _records(text_lines(file, encoding), kind):
        line = _line(record, names)
        if isinstance(line, BatchLine):
            lines.append(line)
        else:
            problems.append(line)
    if not lines and not problems:
        raise BatchError("batch.file.empty")
    return BatchInput(tuple(lines), tuple(problems), encoding.label, kind)


def _format_of(name: str, first: TextLine | None) -> InputFormat:
    by_suffix = _FORMAT_BY_SUFFIX.get(PurePath(name).suffix.lower())
    if by_suffix is not None:
        return by_suffix
    start = (first.text or "" if first else "").lstrip()
    if start.startswith("{"):
        return "jsonl"
    if "\t" in start:
        return "tsv"
    return "csv" if "," in start and "{" not in start else "jsonl"


def _records(lines: Iterator[TextLine], kind: InputFormat) -> Iterator[Record]:
    return json_records(lines) if kind == "jsonl" else table_records(lines, _DELIMITERS[kind])


def _line(record: Record, names: Names) -> BatchLine | LineProblem:
    if record.problem is not None:
        return _set_aside(record, record.problem)
    try:
        fields = check_fields(record.pairs or [])
    except FieldError as error:
        return _set_aside(record, error.message)
    uttid = fields.uttid.strip() or names.make_up(record.number)
    before = names.line_of(uttid)
    if before is not None:
        twice = Message("batch.line.duplicate", {"uttid": quoted(uttid), "line": before})
        return _set_aside(record, twice)
    return _batch_line(record.number, uttid, names.take(uttid, record.number), fields)


def _set_aside(record: Record, problem: Message) -> LineProblem:
    given = dict(record.pairs or [])
    uttid = next((given[name] for name in ALIASES["uttid"] if given.get(name)), "")
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
