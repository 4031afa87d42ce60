"""The entries of a ZIP file of recordings, and their names as they were meant."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import PurePosixPath
from typing import Final

#: What a packed file says of itself: its name is UTF-8 (bit 11 of the ZIP format's flags).
_ZIP_UTF8: Final = 0x800
#: What reading a damaged, locked or strangely packed entry raises.
DAMAGED_ENTRY_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    IndexError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
)


def recordings_in(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the entries without folders, hidden files and what a Mac adds."""
    return [
        entry
        for entry in archive.infolist()
        if not entry.is_dir() and not _passed_over(entry_name(entry))
    ]


def entry_name(entry: zipfile.ZipInfo) -> str:
    """Return an entry's name; Chinese Windows packs names in GBK without saying so."""
    if entry.flag_bits & _ZIP_UTF8:
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for codec in ("utf-8", "gb18030"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _passed_over(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or bool(parts and parts[-1].startswith("."))
