"""A file's bytes as numbered lines of text: the encoding found out, every line bounded.

Knows nothing about what stands in a line.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from glmtts_core.errors import BatchError
from glmtts_core.message import Message

#: Longest line that is read; the longest text that a setting allows, fully escaped, fits in.
MAX_LINE_BYTES: Final = 2 * 2**20
#: A file is read line by line, but its lines are kept: beyond this, split it.
MAX_LINES: Final = 500_000
#: What of a line is shown beside its problem, in characters.
EXCERPT_CHARS: Final = 200
_SKIP_BYTES: Final = 2**16
_WIDE_BOMS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file's bytes are text: the codec's name, the name shown, the length of its mark."""

    codec: str
    label: str
    bom_bytes: int = 0


UTF8: Final = Encoding("utf-8", "UTF-8")
UTF8_BOM: Final = Encoding("utf-8", "UTF-8 (BOM)", len(codecs.BOM_UTF8))
GB18030: Final = Encoding("gb18030", "GB18030")


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line that is not empty.

    Attributes:
        number: from 1.
        text: without its line end; None where it cannot be read.
        problem: why it cannot be read; None where it can.
        excerpt: its beginning, for messages.
    """

    number: int
    text: str | None
    problem: Message | None
    excerpt: str


def detect_encoding(file: BinaryIO) -> Encoding:
    """Return the encoding of ``file``, reading it once from its start.

    A file in which most of the lines beyond ASCII are UTF-8 is UTF-8 with some damaged lines: text
    in GB18030 hardly ever happens to be valid UTF-8, while the reverse is common.

    Raises:
        BatchError: the file is UTF-16 or UTF-32.
    """
    file.seek(0)
    start = file.read(len(codecs.BOM_UTF8))
    if start.startswith(_WIDE_BOMS):
        raise BatchError("batch.file.wide")
    if start == codecs.BOM_UTF8:
        return UTF8_BOM
    file.seek(0)
    as_utf8 = broken = 0
    for raw in raw_lines(file):
        if raw is None or raw.isascii():
            continue
        try:
            raw.decode("utf-8")
            as_utf8 += 1
        except UnicodeDecodeError:
            broken += 1
    return GB18030 if broken > as_utf8 else UTF8


def text_lines(file: BinaryIO, encoding: Encoding) -> Iterator[TextLine]:
    """Yield every line of ``file`` that is not empty; an empty one holds nothing but blanks.

    Raises:
        BatchError: the file has more than `MAX_LINES` lines.
    """
    file.seek(encoding.bom_bytes)
    for number, raw in enumerate(raw_lines(file), 1):
        if number > MAX_LINES:
            raise BatchError("batch.file.too_many_lines", limit=MAX_LINES)
        if raw is None:
            yield TextLine(number, None, Message("batch.line.too_long"), "")
            continue
        try:
            text = raw.decode(encoding.codec).rstrip("\r\n")
        except UnicodeDecodeError:
            shown = raw[: EXCERPT_CHARS * 4].decode(encoding.codec, errors="replace")
            problem = Message("batch.line.undecodable")
            yield TextLine(number, None, problem, excerpt_of(shown))
            continue
        if text and not text.isspace():
            yield TextLine(number, text, None, excerpt_of(text))


def excerpt_of(text: str) -> str:
    """Return the beginning of a line as it is shown beside its problem."""
    return text.strip()[:EXCERPT_CHARS]


def raw_lines(file: BinaryIO) -> Iterator[bytes | None]:
    """Yield each line from where ``file`` stands, with its end; None for one that is too long."""
    while raw := file.readline(MAX_LINE_BYTES):
        if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
            while (rest := file.readline(_SKIP_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield None
        else:
            yield raw
