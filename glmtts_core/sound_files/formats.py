"""What kinds of sound files there are: by their names, by their bytes, and what their headers lack.

Knows nothing about samples.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Final

#: Endings of files that libsndfile reads.
_PLAIN_SUFFIXES: Final = frozenset(
    {".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".au", ".caf"}
)
#: Endings of files that take ffmpeg: phones, messengers and browsers record these.
_PACKED_SUFFIXES: Final = frozenset(
    {
        ".m4a",
        ".mp4",
        ".mov",
        ".3gp",
        ".aac",
        ".amr",
        ".webm",
        ".weba",
        ".mka",
        ".wma",
        ".awb",
        ".spx",
    }
)
AUDIO_SUFFIXES: Final = _PLAIN_SUFFIXES | _PACKED_SUFFIXES
#: The kinds that messages name.
KINDS: Final = "WAV, FLAC, MP3, OGG, Opus, AIFF, M4A, WebM, AMR"
#: How those begin, from which byte on: the name of ffmpeg's reader, the name shown, the bytes.
_PACKED_STARTS: Final = (
    ("mov", "MP4", 4, (b"ftyp", b"moov", b"mdat", b"wide")),
    ("matroska", "WebM", 0, (b"\x1aE\xdf\xa3",)),
    ("amr", "AMR", 0, (b"#!AMR",)),
    ("asf", "WMA", 0, (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",)),
    ("aac", "AAC", 0, (b"\xff\xf0", b"\xff\xf1", b"\xff\xf8", b"\xff\xf9", b"ADIF")),
    ("ogg", "Ogg", 28, (b"Speex   ", b"OpusHead")),
    ("caf", "CAF", 0, (b"caff",)),
)
_UNKNOWN: Final = 0xFFFFFFFF


def is_opus(data: bytes) -> bool:
    """Whether a file begins as Opus in Ogg, which only some builds of libsndfile read."""
    return data.startswith(b"OpusHead", 28)


def packed_kind(data: bytes) -> tuple[str, str] | None:
    """Return what ffmpeg calls a file that it takes, and what people call it; None for any other.

    Told by the bytes, not by a name: a list of other files, which ffmpeg would open, is none.
    """
    for reader, shown, at, starts in _PACKED_STARTS:
        if data[at:].startswith(starts):
            return reader, shown
    return None


def with_length(data: bytes) -> io.BytesIO:
    """Return a file whose header tells a length: programs that write as they go leave it at zero.

    Anything but the header of a WAV or AU file stays as it is.
    """
    file = io.BytesIO(data)
    if data.startswith(b".snd") and data[8:12] == bytes(4):
        _write(file, 8, struct.pack(">I", _UNKNOWN))
    if data[:4] not in (b"RIFF", b"RIFX", b"RF64") or data[8:12] != b"WAVE":
        return file
    order = ">" if data.startswith(b"RIFX") else "<"
    large = next((at for kind, at, _ in _chunks(data, order) if kind == b"ds64"), None)
    found = next(((at, size) for kind, at, size in _chunks(data, order) if kind == b"data"), None)
    if found is None:
        return file
    start, size = found
    if large is not None:
        # the size in the other chunk holds, and may be as wrong
        (size,) = struct.unpack_from("<Q", data.ljust(large + 24, b"\0"), large + 8)
    left = len(data) - start
    lacks = size == 0 and left > 0 and not _only_chunks(data, start, order)
    if large is not None and (lacks or size > left):
        _write(file, large, struct.pack("<QQ", len(data) - 8, left))
    elif lacks:
        _write(file, start - 4, struct.pack(f"{order}I", min(left, _UNKNOWN)))
        _write(file, 4, struct.pack(f"{order}I", min(len(data) - 8, _UNKNOWN)))
    return file


def _chunks(data: bytes, order: str, at: int = 12) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each chunk, where its content begins and how long it claims to be."""
    while at + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}4sI", data, at)
        yield kind, at + 8, size
        at += 8 + size + size % 2


def _only_chunks(data: bytes, at: int, order: str) -> bool:
    """Whether chunks and nothing else follow: then there really is no sound before them."""
    end = at
    for kind, start, size in _chunks(data, order, at):
        if not kind.isascii() or not kind.decode("ascii").isprintable():
            return False
        end = start + size
    return end in (len(data), len(data) + 1) and end > at


def _write(file: io.BytesIO, at: int, value: bytes) -> None:
    file.seek(at)
    file.write(value)
    file.seek(0)
