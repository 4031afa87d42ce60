"""A run's folder on the disk: its database, what came in, and a WAV file for every line done.

::

    run.db              what the run is, its lines, and all that has happened to them
    input.jsonl         the file as it came in (or .csv, .tsv, .json, .txt)
    references/         the recordings that lines name
    input-1/            a corrected input: both of these anew, where the database says that it holds
    audio/              the sounds
    lock                held by the process that carries on the run

Knows nothing about engines.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from glmtts_core.batch.earlier_layout import import_earlier
from glmtts_core.batch.run_database import RunDatabase
from glmtts_core.batch.run_files import (
    AUDIO_FOLDER,
    DATABASE_FILE,
    REFERENCES_FOLDER,
    input_folder,
    sweep_inputs,
)
from glmtts_core.batch.run_schema import SCHEMA
from glmtts_core.batch.states import LineRow, LineState
from glmtts_core.batch_files.lines import BatchLine
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.database import Database, open_database
from glmtts_core.errors import BatchError, StorageError
from glmtts_core.files import PARTIAL_PATTERN, discard, write_into
from glmtts_core.quoting import quoted
from glmtts_core.sound_files.whole_wav import is_whole
from glmtts_core.storage_errors import storage_errors
from glmtts_core.stored import read_stored

_SOUNDS_DONE = """
    SELECT l.position, l.file_stem, s.size_bytes, s.modified_ns, l.audio_s
    FROM line l LEFT JOIN sound s ON s.file_stem = l.file_stem AND s.content_hash = l.content_hash
    WHERE l.state = 'done'"""


class RunStore:
    """One run's folder; one of the earlier layout gets its database first.

    Args:
        folder: of the run.

    Raises:
        BatchError: there is no run in it.
        StorageError: it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database_path = folder / DATABASE_FILE
        self.audio_folder = folder / AUDIO_FOLDER
        self._lock = threading.Lock()
        import_earlier(folder)
        self._database: RunDatabase | None = RunDatabase(self.connect(writes=False))

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def database(self) -> RunDatabase:
        """The run's database, opened anew where it was closed or another one took its place.

        Raises:
            BatchError, StorageError: it is gone, or another one in its place cannot be read.
        """
        with self._lock:
            before = self._database
            if before is not None and not before.source.replaced:
                return before
            if not self.folder.is_dir():
                raise StorageError("storage.folder_gone", folder=self.folder)
            self._database = opened = RunDatabase(self.connect(writes=False))
            # closed only then: the one before may still be put back
            if before is not None:
                before.source.close()
            return opened

    def close(self) -> None:
        """Close the database until it is used again."""
        with self._lock:
            if self._database is not None:
                self._database.source.close()
                self._database = None

    def connect(self, *, writes: bool) -> Database:
        """Return a new connection to the run's database.

        Raises:
            BatchError, StorageError: it is gone, or cannot be used.
        """
        try:
            return open_database(self.database_path, SCHEMA, writes=writes)
        except (FileNotFoundError, NotADirectoryError) as error:
            if self.audio_folder.is_dir():
                folder = self.folder
                raise BatchError("batch.run.headless", folder=folder, name=DATABASE_FILE) from error
            raise BatchError("batch.run.missing", name=quoted(self.id)) from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise StorageError(
                "stored.unreadable", path=self.database_path, reason=reason
            ) from error

    # -- what came in ----------------------------------------------------------------------------

    @property
    def input_path(self) -> Path:
        """The input file that holds, as it came in."""
        return self._input_folder / f"input.{self.database.header().input_format}"

    def read_input(self) -> bytes:
        """Return the input file as it came in.

        Raises:
            StorageError: it cannot be read.
        """
        return read_stored(self.input_path)

    @property
    def references(self) -> ReferenceFolder:
        """The recordings that lines name."""
        return ReferenceFolder(self._input_folder / REFERENCES_FOLDER)

    @property
    def _input_folder(self) -> Path:
        return input_folder(self.folder, self.database.input_version())

    # -- sounds ----------------------------------------------------------------------------------

    def audio_path(self, line: BatchLine) -> Path:
        """Return where the sound of ``line`` lies, or will lie."""
        return self.audio_folder / f"{line.file_stem}.wav"

    def write_audio(self, line: BatchLine, wav: bytes) -> int:
        """Keep the sound of a line, whole or not at all; return when it was changed, in ns.

        Raises:
            StorageError: the disk is full or cannot be written, or the folder was removed.
        """
        path = self.audio_path(line)
        with storage_errors(self.folder):
            write_into(path, wav)
            return path.stat().st_mtime_ns

    def wav(self, line: BatchLine) -> bytes:
        """Return the sound of a line as the bytes of a WAV file.

        Raises:
            StorageError: it is not there (any more), or cannot be read.
        """
        path = self.audio_path(line)
        try:
            return path.read_bytes()
        except OSError as error:
            raise StorageError(
                "storage.read", name=path.name, reason=error.strerror or error
            ) from error

    def missing_sounds(self) -> frozenset[int]:
        """Return the positions of the done lines whose sounds are not there, or not whole.

        Looks at sizes and times of change, and only where a time has changed into a file, which
        ten thousand sounds can afford.
        """
        there, missing = self._sounds(), set()
        for position, stem, size_bytes, modified_ns, audio_s in self.database.source.rows(
            _SOUNDS_DONE
        ):
            found = there.get(f"{stem}.wav")
            path = self.audio_folder / f"{stem}.wav"
            as_noted = found == (size_bytes, modified_ns)
            # a copied folder has other times
            alike = found is not None and found[0] == size_bytes
            if not (as_noted or (alike and is_whole(path, audio_s))):
                missing.add(position)
        return frozenset(missing)

    def _sounds(self) -> dict[str, tuple[int, int]]:
        """Return size and time of change of the files that are there."""
        try:
            with os.scandir(self.audio_folder) as entries:
                # a link may lead nowhere, and a pipe be waited for
                files = [each for each in entries if each.is_file()]
                stats = [(each.name, each.stat()) for each in files]
        except OSError:
            return {}
        return {name: (status.st_size, status.st_mtime_ns) for name, status in stats}

    def whole_sounds(self, rows: Iterable[LineRow]) -> frozenset[str]:
        """Return the file names of those lines that are done and whose sounds are whole."""
        missing = self.missing_sounds()
        done = (row for row in rows if row.status.state is LineState.DONE)
        return frozenset(row.file_name for row in done if row.position not in missing)

    def audio_names(self) -> frozenset[str]:
        """Return the names of the sounds that are there, whoever's."""
        return frozenset(path.name for path in self.audio_folder.glob("*.wav"))

    def sounds_changed_ns(self) -> int | None:
        """Return when a sound came or went last; None where their folder is gone."""
        try:
            return self.audio_folder.stat().st_mtime_ns
        except OSError:
            return None

    # -- what only the holder of the lock does ---------------------------------------------------

    def sweep(self) -> list[str]:
        """Remove what a process that died has left: half files, and what a correction replaced.

        A run whose folder for the sounds was removed gets an empty one.

        Returns:
            The stems of the sounds that were removed, since they belong to no line any more.

        Raises:
            StorageError: the folder cannot be read or written.
        """
        orphans = self.database.source.rows(
            "SELECT file_stem FROM sound WHERE file_stem NOT IN (SELECT file_stem FROM line)"
        )
        with storage_errors(self.folder):
            self.audio_folder.mkdir(exist_ok=True)
            references = self.references.folder
            for partial in (
                *self.folder.glob(PARTIAL_PATTERN),
                *self.audio_folder.glob(PARTIAL_PATTERN),
                *references.rglob(PARTIAL_PATTERN),
            ):
                partial.unlink(missing_ok=True)
            sweep_inputs(self.folder, self.database.input_version())
            for (stem,) in orphans:
                if Path(stem).name == stem:
                    discard(self.audio_folder / f"{stem}.wav")
        return [stem for (stem,) in orphans]
