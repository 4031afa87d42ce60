"""Names of lines as names of files: safe on every system, unique whatever the case."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

#: Longest name in bytes; with suffixes and temporary marks it stays under the 255 of file systems.
_MAX_BYTES: Final = 120
#: Names that Windows keeps for devices.
_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_UNSAFE: Final = re.compile(r"[^\w.-]+")


class Names:
    """Gives every line of a file its name and its file's name; each once only."""

    def __init__(self) -> None:
        self._uttids: dict[str, int] = {}
        self._stems: set[str] = set()

    def line_of(self, uttid: str) -> int | None:
        """Return the number of the line that has this name already."""
        return self._uttids.get(uttid)

    def make_up(self, number: int) -> str:
        """Return a name for a line that has none: ``line-0007``."""
        uttid = f"line-{number:04d}"
        while uttid in self._uttids:
            uttid += "-b"
        return uttid

    def take(self, uttid: str, number: int) -> str:
        """Note that line ``number`` is called ``uttid`` and return its file's stem."""
        self._uttids[uttid] = number
        stem = safe_stem(uttid)
        while stem.casefold() in self._stems:
            stem = f"{stem}-{_digest(f'{uttid}/{stem}')}"
        self._stems.add(stem.casefold())
        return stem


def safe_stem(uttid: str) -> str:
    """Return ``uttid`` as a file name without extension; one that had to change ends in a digest.

    Letters and digits of all scripts, ``.``, ``-`` and ``_`` stay. The digest keeps "a/b" and
    "a?b" apart, whatever else the file holds.
    """
    wanted = uttid[:-4] if uttid.lower().endswith(".wav") else uttid
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", wanted)).lstrip(".-").rstrip(".")
    safe = safe.encode()[:_MAX_BYTES].decode(errors="ignore")
    if not safe.strip("_") or _RESERVED.fullmatch(safe):
        safe = f"_{safe}"
    return safe if safe == wanted else f"{safe}-{_digest(uttid)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
