"""The recordings that lines name: in one folder, and no name leads out of it.

Knows nothing about lines and engines.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Final

from glmtts_core.audio import decode
from glmtts_core.batch_files.packed_references import (
    DAMAGED_ENTRY_ERRORS,
    entry_name,
    recordings_in,
)
from glmtts_core.byte_units import MIB
from glmtts_core.errors import AudioError, BatchError
from glmtts_core.files import write_whole
from glmtts_core.quoting import quoted
from glmtts_core.sound_files.formats import AUDIO_SUFFIXES, KINDS
from glmtts_core.speech import ReferenceAudio

MAX_FILE_BYTES: Final = 64 * MIB
MAX_TOTAL_BYTES: Final = 2048 * MIB
MAX_FILES: Final = 10_000
_BLOCK_BYTES: Final = 2**18
_MAX_PART_BYTES: Final = 200


@dataclass(frozen=True)
class Added:
    """What became of uploaded files: the names that were stored, and why others were not."""

    names: tuple[str, ...]
    refused: tuple[BatchError, ...]


class ReferenceFolder:
    """Recordings inside one folder, by their path from there (always with ``/``)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._by_base_name: dict[str, list[str]] | None = None
        self._stored_bytes: int | None = None

    # -- finding and reading -------------------------------------------------------------------

    def find(self, given: str) -> str:
        """Return the name of the recording that a line calls ``given``.

        A path from the folder, or any path or name whose last part only one recording has: lists
        that were made on another machine name folders that do not exist here.

        Raises:
            BatchError: none, several, or one outside the folder.
        """
        wanted = given.replace("\\", "/").strip()
        exact = self._exact(wanted)
        if exact is not None:
            return exact
        found = self._base_names().get(_folded(PurePosixPath(wanted).name), [])
        if len(found) == 1:
            return found[0]
        shown = quoted(given)
        if found:
            listed = ", ".join(quoted(name) for name in found[:5])
            raise BatchError("batch.reference.ambiguous", name=shown, found=listed)
        parts = PurePosixPath(wanted).parts
        outside = ".." in parts or wanted.startswith("/") or ":" in wanted.partition("/")[0]
        raise BatchError(f"batch.reference.{'outside' if outside else 'missing'}", name=shown)

    def _exact(self, wanted: str) -> str | None:
        root = self.folder.resolve()
        try:
            path = (root / wanted).resolve()
            if not path.is_relative_to(root) or not path.is_file():
                return None
        except (OSError, ValueError, RuntimeError):
            # a NUL, a name too long for the file system, links in a circle: no such recording
            return None
        return path.relative_to(root).as_posix()

    def names(self) -> tuple[str, ...]:
        """Return all recordings, sorted; a link that leads out of the folder is none."""
        return tuple(sorted(name for each in self._base_names().values() for name in each))

    def _base_names(self) -> dict[str, list[str]]:
        if self._by_base_name is None:
            found: dict[str, list[str]] = {}
            for name in _audio_files(self.folder):
                found.setdefault(_folded(PurePosixPath(name).name), []).append(name)
            self._by_base_name = found
        return self._by_base_name

    def read(self, name: str) -> bytes:
        """Return a recording's bytes.

        Raises:
            BatchError: there is no such recording in the folder (any more).
            AudioError: it is too large.
        """
        exact = self._exact(name)
        if exact is None:
            raise BatchError("batch.reference.missing", name=quoted(name))
        path = self.folder / exact
        if path.stat().st_size > MAX_FILE_BYTES:
            limit = f"{MAX_FILE_BYTES // MIB} MiB"
            raise AudioError("batch.reference.too_large", name=quoted(name), limit=limit)
        return path.read_bytes()

    def load(self, name: str, transcript: str, max_s: float) -> ReferenceAudio:
        """Return a recording decoded, with what is said in it.

        Raises:
            BatchError: there is no such recording in the folder (any more).
            AudioError: it cannot be read or lasts longer than ``max_s`` seconds.
        """
        audio = decode(self.read(name), quoted(name), max_s=max_s)
        return ReferenceAudio(audio.samples, audio.sample_rate_hz, name, transcript)

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a recording's bytes; raises as `read`."""
        return _digest(self.read(name)).hex()

    # -- adding --------------------------------------------------------------------------------

    def add(self, name: str, data: bytes) -> str:
        """Store a recording under the last part of ``name`` and return its name here.

        Raises:
            BatchError: the name, the size or the kind of file cannot be taken.
        """
        base_name = PurePosixPath(name.replace("\\", "/")).name
        return self._store(base_name, io.BytesIO(data))

    def add_zip(self, name: str, source: BinaryIO) -> Added:
        """Unpack the recordings of a ZIP file, each bounded by what really comes out of it.

        Folders, hidden files and what a Mac adds are passed over; what cannot be taken is reported.

        Raises:
            BatchError: the file is no ZIP file, or holds too much (then nothing is unpacked).
        """
        names: list[str] = []
        refused: list[BatchError] = []
        try:
            with zipfile.ZipFile(source) as archive:
                entries = recordings_in(archive)
                self._refuse_too_much(entries)
                for entry in entries:
                    stored = self._unpack(archive, entry)
                    if isinstance(stored, BatchError):
                        refused.append(stored)
                    else:
                        names.append(stored)
        except DAMAGED_ENTRY_ERRORS as error:
            raise BatchError("batch.reference.bad_zip", name=quoted(name)) from error
        return Added(tuple(names), tuple(refused))

    def _refuse_too_much(self, entries: list[zipfile.ZipInfo]) -> None:
        if len(entries) > MAX_FILES:
            raise BatchError("batch.reference.too_many", limit=MAX_FILES)
        # an entry never gives more than its header claims, so that the claims bound the work
        if sum(entry.file_size for entry in entries) > self._room():
            raise BatchError("batch.reference.total", limit=f"{MAX_TOTAL_BYTES // MIB} MiB")

    def _unpack(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str | BatchError:
        name = entry_name(entry)
        if stat.S_ISLNK(entry.external_attr >> 16):
            return BatchError("batch.reference.unsafe_name", name=quoted(name))
        try:
            with archive.open(entry) as packed:
                return self._store(name, packed)
        except BatchError as error:
            return error
        except DAMAGED_ENTRY_ERRORS:
            return BatchError("batch.reference.damaged", name=quoted(name))

    def _store(self, name: str, source: IO[bytes]) -> str:
        kept = _safe_name(name)
        shown = quoted(name)
        if PurePosixPath(kept).suffix.lower() not in AUDIO_SUFFIXES:
            raise BatchError("batch.reference.not_audio", name=shown, kinds=KINDS)
        data = _read_bounded(source, shown, self._room())
        path = self.folder / kept
        if path.exists():
            if _digest(path.read_bytes()) != _digest(data):
                raise BatchError("batch.reference.twice", name=shown)
            return kept
        try:
            write_whole(path, data)
        except OSError as error:
            reason = error.strerror or str(error)
            raise BatchError("batch.reference.unwritable", name=shown, reason=reason) from error
        self._base_names().setdefault(_folded(PurePosixPath(kept).name), []).append(kept)
        self._stored_bytes = (self._stored_bytes or 0) + len(data)
        return kept

    def _room(self) -> int:
        """Return how many bytes may still be stored.

        Raises:
            BatchError: there are as many recordings as there may be.
        """
        known = sum(map(len, self._base_names().values()))
        if known >= MAX_FILES:
            raise BatchError("batch.reference.too_many", limit=MAX_FILES)
        if self._stored_bytes is None:
            self._stored_bytes = sum((self.folder / name).stat().st_size for name in self.names())
        return MAX_TOTAL_BYTES - self._stored_bytes


def _audio_files(folder: Path) -> Iterator[str]:
    root = folder.resolve()
    for where, _, files in os.walk(root):
        for file in files:
            path = Path(where) / file
            # unlike Path.resolve, realpath takes links in a circle as they are
            inside = Path(os.path.realpath(path)).is_relative_to(root)
            if inside and path.suffix.lower() in AUDIO_SUFFIXES and path.is_file():
                yield path.relative_to(root).as_posix()


def _folded(base_name: str) -> str:
    return unicodedata.normalize("NFC", base_name).casefold()


def _safe_name(name: str) -> str:
    """Return ``name`` as a path that stays inside any folder, on every system."""
    wanted = unicodedata.normalize("NFC", name.replace("\\", "/"))
    parts = wanted.split("/")
    safe = all(
        part not in ("", ".", "..")
        and part == part.strip(" ").rstrip(".")
        and part.isprintable()
        and not set(part) & set(':*?"<>|')
        and len(part.encode("utf-8", "replace")) <= _MAX_PART_BYTES
        for part in parts
    )
    if not safe or len(parts) > 20:
        raise BatchError("batch.reference.unsafe_name", name=quoted(name))
    return wanted


def _read_bounded(source: IO[bytes], shown: str, room_bytes: int) -> bytes:
    """Read to the end; what a header claims is not believed."""
    data = bytearray()
    while block := source.read(_BLOCK_BYTES):
        data += block
        if len(data) > MAX_FILE_BYTES:
            limit = f"{MAX_FILE_BYTES // MIB} MiB"
            raise BatchError("batch.reference.too_large", name=shown, limit=limit)
        if len(data) > room_bytes:
            raise BatchError("batch.reference.total", limit=f"{MAX_TOTAL_BYTES // MIB} MiB")
    return bytes(data)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
