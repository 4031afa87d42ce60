"""Detects the encoding of a file, and converts it to the normalised form and back.

The normalised form is UTF-8 or GB18030 without a byte order mark, with line feeds as line ends.
Knows nothing about what stands in a line.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast

from glmtts_core.byte_units import MIB
from glmtts_core.errors import BatchError

#: Bytes at the start of a file that tell wide characters and old line ends.
_HEAD_BYTES: Final = 2**16
#: Bytes that are converted at a time, and how many are kept in memory before the disk takes them.
_BLOCK_BYTES: Final = MIB
_IN_MEMORY_BYTES: Final = 64 * MIB
#: Marks a cut-off UTF-16 character at the end of the normalised form; never valid UTF-8.
_CUT_OFF: Final = b"\xff"
#: How files begin that hold texts and are no text: ZIP (and so XLSX, DOCX), PDF, old Office, RTF.
_NO_TEXT: Final = (b"PK\x03\x04", b"%PDF-", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file's bytes are text.

    Attributes:
        codec: of the normalised form.
        label: as shown to the user.
        mark: bytes at the file's start that are no text.
        wide: codec of the file itself where a character takes two bytes; empty elsewhere.
        line_end: a carriage return where no line feed ends a line.
    """

    codec: str
    label: str
    mark: bytes = b""
    wide: str = ""
    line_end: bytes = b"\n"

    @property
    def converts(self) -> bool:
        """Whether the normalised form differs from the file's own bytes."""
        return bool(self.wide) or self.line_end != b"\n"

    def restored(self, form: bytes) -> bytes:
        """Return a whole file from its normalised form; half a character at its end is left out."""
        own = form.replace(b"\n", self.line_end)
        if self.wide:
            text = own.removesuffix(_CUT_OFF).decode("utf-8", "surrogatepass")
            own = text.encode(self.wide, "surrogatepass")
        return self.mark + own


UTF8: Final = Encoding("utf-8", "UTF-8")
GB18030: Final = Encoding("gb18030", "GB18030")
_MARKED: Final = (
    Encoding("utf-8", "UTF-8 (BOM)", codecs.BOM_UTF8),
    Encoding("utf-8", "UTF-16", codecs.BOM_UTF16_LE, "utf-16-le"),
    Encoding("utf-8", "UTF-16", codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED_WIDE: Final = (
    Encoding("utf-8", "UTF-16", wide="utf-16-le"),
    Encoding("utf-8", "UTF-16", wide="utf-16-be"),
)


def encoding_by_head(file: BinaryIO) -> tuple[Encoding, bool]:
    """Return the encoding that the first bytes of a file tell, and whether that is certain.

    Where it is not, it is UTF-8 unless the bytes beyond ASCII tell otherwise.

    Raises:
        BatchError: the file is UTF-32, or no text at all.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise BatchError("batch.file.wide")
    if head.startswith(_NO_TEXT):
        raise BatchError("batch.file.no_text")
    found = next((each for each in _MARKED if head.startswith(each.mark)), None)
    found = found or next((each for each in _UNMARKED_WIDE if _is_wide(head, each.wide)), None)
    encoding = found or UTF8
    text = head[len(encoding.mark) :].decode(encoding.wide or "latin-1", "ignore")
    # alone, a carriage return may also stand inside a value
    if "\n" not in text and "\r" in text.rstrip("\r"):
        encoding = replace(encoding, line_end=b"\r")
    return encoding, found is not None


def _is_wide(head: bytes, codec: str) -> bool:
    """Whether bytes without a mark are UTF-16: they begin with two ASCII characters."""
    high = 1 if codec == "utf-16-le" else 0
    if len(head) < 4 or any((head[at] == 0) != (at % 2 == high) for at in range(4)):
        return False
    text = head[: len(head) // 2 * 2].decode(codec, "replace")
    # a damaged first line of another encoding begins so, too; its line feeds stand elsewhere
    return "\n" in text or b"\n" not in head


def normalised(file: BinaryIO, encoding: Encoding) -> BinaryIO:
    """Return the file in its normalised form, or the file itself where nothing differs."""
    file.seek(len(encoding.mark))
    if not encoding.converts:
        return file
    # gone with the last who reads it
    target = cast(BinaryIO, SpooledTemporaryFile(_IN_MEMORY_BYTES))  # noqa: SIM115
    for block in _converted(iter(lambda: file.read(_BLOCK_BYTES), b""), encoding):
        target.write(block)
    target.seek(0)
    return target


def normalised_bytes(data: bytes, encoding: Encoding) -> bytes:
    """Return the bytes of a whole file in their normalised form."""
    own = data[len(encoding.mark) :]
    return b"".join(_converted([own], encoding)) if encoding.converts else own


def _converted(blocks: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    if not encoding.wide:
        yield from (block.replace(encoding.line_end, b"\n") for block in blocks)
        return
    decoder = codecs.getincrementaldecoder(encoding.wide)("surrogatepass")
    for block in blocks:
        text = decoder.decode(block).encode("utf-8", "surrogatepass")
        yield text.replace(encoding.line_end, b"\n")
    if decoder.getstate()[0]:
        yield _CUT_OFF
