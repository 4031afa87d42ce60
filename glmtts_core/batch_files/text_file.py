"""A file's bytes as numbered lines of text: the encoding found out, every line bounded.

Knows nothing about what stands in a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from glmtts_core.batch_files.encoding import GB18030, Encoding, encoding_by_head, normalised
from glmtts_core.byte_units import MIB
from glmtts_core.errors import BatchError
from glmtts_core.message import Message

#: Longest line that is read; the longest text that a setting allows, fully escaped, fits in.
MAX_LINE_BYTES: Final = 2 * MIB
#: A file is read line by line, but its lines are kept: beyond this, split it.
MAX_LINES: Final = 500_000
#: What of a line is shown beside its problem, in characters.
EXCERPT_CHARS: Final = 200
_SKIP_BYTES: Final = 2**16


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line.

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

    @property
    def is_blank(self) -> bool:
        """Whether it can be read and holds nothing but blanks."""
        return self.text is not None and not self.text.strip()


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that is text, to be read from its start as often as needed.

    Attributes:
        file: in its normalised form.
        encoding: of the file as it came in.
        start: where its first line begins.
    """

    file: BinaryIO
    encoding: Encoding
    start: int

    def lines(self) -> Iterator[TextLine]:
        """Yield every line that is not blank.

        Raises:
            BatchError: as `all_lines`.
        """
        return (line for line in self.all_lines() if not line.is_blank)

    def all_lines(self) -> Iterator[TextLine]:
        """Yield every line.

        Raises:
            BatchError: the file has more than `MAX_LINES` lines.
        """
        self.file.seek(self.start)
        codec = self.encoding.codec
        for number, raw in enumerate(raw_lines(self.file), 1):
            if number > MAX_LINES:
                raise BatchError("batch.file.too_many_lines", limit=MAX_LINES)
            if raw is None:
                yield TextLine(number, None, Message("batch.line.too_long"), "")
                continue
            try:
                text = raw.decode(codec).rstrip("\r\n")
            except UnicodeDecodeError:
                shown = raw[: EXCERPT_CHARS * 4].decode(codec, errors="replace")
                problem = Message("batch.line.undecodable")
                yield TextLine(number, None, problem, excerpt_of(shown))
                continue
            yield TextLine(number, text, None, excerpt_of(text))

    def beginning(self, size_bytes: int) -> str:
        """Return the first characters; what cannot be decoded is replaced."""
        self.file.seek(self.start)
        return self.file.read(size_bytes).decode(self.encoding.codec, "replace")

    def whole(self, limit_bytes: int) -> str | None:
        """Return all of the text, or None where it is longer.

        Bytes that cannot be decoded become half surrogate pairs, which no text may hold.
        """
        self.file.seek(self.start)
        raw = self.file.read(limit_bytes + 1)
        return (
            None if len(raw) > limit_bytes else raw.decode(self.encoding.codec, "surrogateescape")
        )


def open_text(file: BinaryIO) -> TextFile:
    """Find out how ``file`` is text.

    Raises:
        BatchError: it is UTF-32, or no text at all.
    """
    encoding = detect_encoding(file)
    start = 0 if encoding.converts else len(encoding.mark)
    return TextFile(normalised(file, encoding), encoding, start)


def detect_encoding(file: BinaryIO) -> Encoding:
    """Return the encoding of ``file``, reading it once from its start.

    A file in which most of the lines beyond ASCII are UTF-8 is UTF-8 with some damaged lines: text
    in GB18030 hardly ever happens to be valid UTF-8, while the reverse is common.

    Raises:
        BatchError: the file is UTF-32, or no text at all.
    """
    encoding, certain = encoding_by_head(file)
    if certain:
        return encoding
    as_utf8 = broken = 0
    for raw in raw_lines(normalised(file, encoding)):
        if raw is None or raw.isascii():
            continue
        try:
            raw.decode("utf-8")
            as_utf8 += 1
        except UnicodeDecodeError:
            broken += 1
    if broken > as_utf8:
        return replace(encoding, codec=GB18030.codec, label=GB18030.label)
    return encoding


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
