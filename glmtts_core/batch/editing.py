"""Changing single lines of a batch file in place; every other byte stays as it is."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from typing import Final

from glmtts_core.batch.reading import detect_encoding, raw_lines

#: Longest line that is offered for editing, in characters; longer ones are edited in the file.
MAX_EDITED_CHARS: Final = 2_000


def editable_lines(data: bytes, numbers: Collection[int]) -> dict[int, str]:
    """Return those of the lines that are short enough to be edited, by number.

    What cannot be decoded is shown as replacement characters: it has to be typed anew anyway.

    Raises:
        BatchError: the file is UTF-16.
    """
    file = io.BytesIO(data)
    encoding = detect_encoding(file)
    file.seek(encoding.bom_bytes)
    found: dict[int, str] = {}
    for number, raw in enumerate(raw_lines(file), 1):
        if number in numbers and raw is not None:
            text = raw.decode(encoding.codec, "replace").rstrip("\r\n")
            if len(text) <= MAX_EDITED_CHARS:
                found[number] = text
    return found


def with_lines(data: bytes, changes: Mapping[int, str]) -> bytes:
    """Return the file with other texts in some of its lines, in the encoding that it has.

    A changed line stays one line; one that is emptied counts as left out, so that all others keep
    their numbers.

    Raises:
        BatchError: the file is UTF-16.
    """
    encoding = detect_encoding(io.BytesIO(data))
    lines = data[encoding.bom_bytes :].split(b"\n")
    for number, text in changes.items():
        if 0 < number <= len(lines):
            end = b"\r" if lines[number - 1].endswith(b"\r") else b""
            one_line = " ".join(text.splitlines())
            lines[number - 1] = one_line.encode(encoding.codec, "replace") + end
    return data[: encoding.bom_bytes] + b"\n".join(lines)
