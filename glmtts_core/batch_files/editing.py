"""Changing single lines of a batch file in place; every other byte stays as it is."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from glmtts_core.batch_files.documents import read_document
from glmtts_core.batch_files.encoding import Encoding, normalised_bytes
from glmtts_core.batch_files.lines import BatchInput
from glmtts_core.batch_files.text_file import detect_encoding

#: Longest line that is offered for editing, in characters; longer ones are edited in the file.
MAX_EDITED_CHARS: Final = 2_000
#: Has bytes that are no text survive being decoded and encoded again.
_ESCAPES: Final = "surrogateescape"


@dataclass(frozen=True, slots=True)
class _Piece:
    """Where a line, or all lines of a record, stand in the normalised form of a file.

    Attributes:
        start: of its first byte.
        end: behind its last byte.
        empty: what stands there for a record that is left out.
    """

    start: int
    end: int
    empty: str = ""


def editable_lines(
    data: bytes, numbers: Collection[int], batch: BatchInput | None = None
) -> dict[int, str]:
    """Return those of the lines that are short enough to be edited, by number.

    A record that runs over several lines comes with all of them. What cannot be decoded is shown as
    replacement characters: it has to be typed anew anyway.

    Args:
        data: of the file.
        numbers: of the lines wanted.
        batch: the file as it was read; None takes every line for itself.

    Raises:
        BatchError: the file is UTF-32, or no text.
    """
    encoding = detect_encoding(io.BytesIO(data))
    form = normalised_bytes(data, encoding)
    found = {}
    for number, piece in _pieces(form, encoding, numbers, batch).items():
        text = form[piece.start : piece.end].decode(encoding.codec, "replace")
        if len(text) <= MAX_EDITED_CHARS:
            found[number] = text.replace("\r\n", "\n").rstrip("\r")
    return found


def with_lines(data: bytes, changes: Mapping[int, str], batch: BatchInput | None = None) -> bytes:
    """Return the file with other texts in some of its lines, in the encoding that it has.

    A changed record keeps its number of lines; one that is emptied counts as left out, so that all
    others keep their numbers.

    Raises:
        BatchError: the file is UTF-32, or no text.
    """
    encoding = detect_encoding(io.BytesIO(data))
    form = normalised_bytes(data, encoding)
    pieces = _pieces(form, encoding, changes, batch)
    parts: list[bytes] = []
    kept = 0
    for number, piece in sorted(pieces.items(), key=lambda each: each[1].start):
        text = changes[number] if changes[number].strip() else piece.empty
        fitted = _fitted(text, form[piece.start : piece.end], encoding.codec)
        parts += [form[kept : piece.start], fitted]
        kept = piece.end
    return encoding.restored(b"".join([*parts, form[kept:]]))


def _fitted(text: str, before: bytes, codec: str) -> bytes:
    """Return ``text`` with as many line ends as stand in ``before``."""
    count = before.count(b"\n") + 1
    lines = text.splitlines()
    lines[count - 1 :] = [" ".join(lines[count - 1 :])]
    lines += [""] * (count - len(lines))
    end = b"\r\n" if b"\r\n" in before else b"\n"
    whole = end.join(line.encode(codec, "replace") for line in lines)
    return whole + b"\r" * before.endswith(b"\r")


def _pieces(
    form: bytes, encoding: Encoding, numbers: Collection[int], batch: BatchInput | None
) -> dict[int, _Piece]:
    if batch is not None and batch.format == "json":
        return dict(_entries(form, encoding, numbers))
    return dict(_lines(form, numbers, {} if batch is None else batch.spans))


def _lines(
    form: bytes, numbers: Collection[int], spans: Mapping[int, int]
) -> Iterator[tuple[int, _Piece]]:
    lasts = {spans.get(number, number): number for number in numbers}
    newest = max(lasts, default=0)
    starts: dict[int, int] = {}
    start = number = 0
    while start <= len(form) and number < newest:
        number += 1
        end = form.find(b"\n", start)
        end = len(form) if end < 0 else end
        if number in numbers:
            starts[number] = start
        if number in lasts:
            yield lasts[number], _Piece(starts[lasts[number]], end)
        start = end + 1


def _entries(
    form: bytes, encoding: Encoding, numbers: Collection[int]
) -> Iterator[tuple[int, _Piece]]:
    text = form.decode(encoding.codec, _ESCAPES)
    if text.encode(encoding.codec, _ESCAPES) != form:
        # what stands before an entry cannot be counted in bytes: it is edited in the file
        return
    counted = counted_bytes = 0
    for entry in read_document(text).entries:
        if entry.record.number not in numbers:
            continue
        start = counted_bytes + len(text[counted : entry.start].encode(encoding.codec, _ESCAPES))
        end = start + len(text[entry.start : entry.end].encode(encoding.codec, _ESCAPES))
        counted, counted_bytes = entry.end, end
        yield entry.record.number, _Piece(start, end, empty="null")
