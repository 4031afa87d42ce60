"""A run's folder on the disk: what came in, the journal, and a WAV file for every line done.

::

    run.json            what the run is; written last, so that a folder without it is no run
    input.jsonl         the file as it came in (or .csv, .tsv)
    lines.jsonl         its checked lines
    problems.jsonl      the lines that were set aside
    references/         the recordings that lines name
    input-1/            a corrected input: the same four, where run.json says that they hold
    journal.jsonl       every change of state
    audio/              the sounds
    lock                held by the process that carries on the run

Every file but the journal is written to a temporary name and renamed. Knows nothing about engines.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from glmtts_core.batch.amending import (
    LINES_FILE,
    PROBLEMS_FILE,
    REFERENCES_FOLDER,
    input_folder,
    sweep_inputs,
    take_in,
)
from glmtts_core.batch.header import HEADER_FILE, JOURNAL_FILE, RunHeader, read_header
from glmtts_core.batch.lock import RunLock, is_locked
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.sounds import is_whole
from glmtts_core.batch.states import LineRow, LineState, LineStatus
from glmtts_core.batch.storage_errors import Stamp, stamp_of, storage_errors
from glmtts_core.batch_files.lines import (
    BatchInput,
    BatchLine,
    LineProblem,
    RunDefaults,
    with_settings,
)
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.errors import BatchError, StorageError
from glmtts_core.files import PARTIAL_PATTERN, discard, write_into
from glmtts_core.quoting import quoted
from glmtts_core.stored import T, read_lines, read_stored

LOCK_FILE: Final = "lock"
MANIFEST_FILE: Final = "manifest.jsonl"
REPORT_FILE: Final = "report.html"
#: Name of the folder of the sounds inside the run's.
AUDIO_FOLDER: Final = "audio"
_LINE: Final = TypeAdapter(BatchLine)
_PROBLEM: Final = TypeAdapter(LineProblem)


class RunStore:
    """One run's folder.

    Args:
        folder: made by `create_store`.

    Raises:
        BatchError: there is no run in it.
        StorageError: it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal_path = folder / JOURNAL_FILE
        self.audio_folder = folder / AUDIO_FOLDER
        self._lock_path = folder / LOCK_FILE
        self._use(read_header(folder))

    def _use(self, header: RunHeader) -> None:
        self.header = header
        self._input_folder = input_folder(self.folder, header.input_version)
        self.references = ReferenceFolder(self._input_folder / REFERENCES_FOLDER)

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def input_path(self) -> Path:
        """The input file that holds, as it came in."""
        return self._input_folder / f"input.{self.header.input_format}"

    def read_input(self) -> bytes:
        """Return the input file as it came in.

        Raises:
            StorageError: it cannot be read.
        """
        return read_stored(self.input_path)

    def lines(self) -> tuple[BatchLine, ...]:
        """Read the lines that can be spoken, in the file's order.

        Raises:
            StorageError: they cannot be read, are not as many as written down, or two are the same.
        """
        found = self._values(LINES_FILE, _LINE, self.header.lines)
        for name, values in (
            ("uttid", [line.uttid for line in found]),
            ("file_stem", [line.file_stem for line in found]),
        ):
            if twice := next((each for each, count in Counter(values).items() if count > 1), None):
                path = self._input_folder / LINES_FILE
                raise StorageError("batch.stored.twice", path=path, field=name, value=quoted(twice))
        return found

    def problems(self) -> tuple[LineProblem, ...]:
        """Read the lines that are set aside, in the file's order.

        Raises:
            StorageError: they cannot be read, or are not as many as the header tells.
        """
        return self._values(PROBLEMS_FILE, _PROBLEM, self.header.problems)

    def _values(self, name: str, kind: TypeAdapter[T], expected: int) -> tuple[T, ...]:
        path = self._input_folder / name
        found = tuple(read_lines(path, kind))
        if len(found) != expected:
            raise StorageError("batch.stored.count", path=path, count=len(found), expected=expected)
        return found

    # -- sounds --------------------------------------------------------------------------------

    def audio_path(self, line: BatchLine) -> Path:
        """Return where the sound of ``line`` lies, or will lie."""
        return self.audio_folder / f"{line.file_stem}.wav"

    def write_audio(self, line: BatchLine, wav: bytes) -> None:
        """Keep the sound of a line, whole or not at all.

        Raises:
            StorageError: the disk is full or cannot be written, or the folder was removed.
        """
        with storage_errors(self.folder):
            write_into(self.audio_path(line), wav)

    def holds_sound(self, line: BatchLine, status: LineStatus) -> bool:
        """Whether the sound of a line that is done exists, is whole and has the noted length.

        Looks at header and size only, which a thousand sounds can afford.
        """
        return is_whole(self.audio_path(line), status.audio_s)

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

    def whole_sounds(self, rows: Iterable[LineRow]) -> frozenset[str]:
        """Return the file names of those lines that are done and whose sounds are whole."""
        done = (row for row in rows if row.status.state is LineState.DONE)
        return frozenset(row.file_name for row in done if self.holds_sound(row.line, row.status))

    def audio_names(self) -> frozenset[str]:
        """Return the names of the sounds that are there."""
        return frozenset(path.name for path in self.audio_folder.glob("*.wav"))

    def stamp(self) -> Stamp:
        """Return what tells whether another process has changed the run.

        Raises:
            StorageError: the folder cannot be looked at.
        """
        with storage_errors(self.folder):
            return stamp_of((self.journal_path, self.folder / HEADER_FILE, self.audio_folder))

    # -- the lock, and what only its holder does -------------------------------------------------

    def lock(self) -> RunLock:
        """Take the run.

        Raises:
            BatchError: another one carries it on.
            StorageError: the folder cannot be written.
        """
        with storage_errors(self.folder):
            return RunLock(self._lock_path)

    @property
    def locked(self) -> bool:
        """Whether someone carries on the run."""
        return is_locked(self._lock_path)

    def sweep(self) -> None:
        """Remove what a process that died has left: half files, and what a correction replaced.

        A run whose folder for the sounds was removed gets an empty one.

        Raises:
            StorageError: the folder cannot be read or written.
        """
        with storage_errors(self.folder):
            self.audio_folder.mkdir(exist_ok=True)
            for folder in (self.folder, self.audio_folder):
                for partial in folder.glob(PARTIAL_PATTERN):
                    partial.unlink(missing_ok=True)
            for partial in self.references.folder.rglob(PARTIAL_PATTERN):
                partial.unlink(missing_ok=True)
            sweep_inputs(self.folder, self.header)

    def remove_sounds(self, stems: Iterable[str]) -> None:
        """Remove sounds that belong to no line any more, by their `BatchLine.file_stem`.

        Raises:
            StorageError: the folder cannot be changed.
        """
        with storage_errors(self.folder):
            for stem in stems:
                discard(self.audio_folder / f"{stem}.wav")

    def replace_input(
        self,
        raw: bytes,
        batch: BatchInput,
        references: Path | None,
        defaults: RunDefaults | None = None,
        policy: CleanupPolicy | None = None,
    ) -> None:
        """Take a corrected file in the place of the run's; what is in the journal stays there.

        Killed at any moment, either all of it holds or the run is as it was. Where ``defaults`` or
        ``policy`` are given, they take the place of the run's.

        Raises:
            BatchError: a recording cannot be taken over, or the file holds no line.
            StorageError: the disk is full or cannot be written.
        """
        refuse_empty(batch)
        header = self.header.model_copy(
            update={
                "encoding": batch.encoding,
                "input_format": batch.format,
                "input_version": self.header.input_version + 1,
                "lines": len(batch.lines),
                "problems": len(batch.problems),
                "defaults": defaults or self.header.defaults,
                "policy": policy or self.header.policy,
            }
        )
        settings = (self.header.defaults, header.defaults)
        batch = replace(batch, lines=with_settings(batch.lines, self.lines(), *settings))
        with storage_errors(self.folder):
            # of a correction that was cut short
            sweep_inputs(self.folder, self.header)
            try:
                take_in(self.folder, header, raw, batch, references, self.references.folder)
            finally:
                self._use(read_header(self.folder))
                sweep_inputs(self.folder, self.header)


def remove_store(folder: Path) -> None:
    """Delete a run with all its sounds, readable or not.

    Raises:
        BatchError: someone carries it on.
        StorageError: the folder cannot be changed.
    """
    with storage_errors(folder):
        lock = RunLock(folder / LOCK_FILE)
    try:
        with storage_errors(folder):
            # without its header and journal it is no run any more, should the rest be cut short
            discard(folder / HEADER_FILE)
            discard(folder / JOURNAL_FILE)
            shutil.rmtree(folder)
    finally:
        lock.release()


def refuse_empty(batch: BatchInput) -> None:
    """Raise `BatchError` for a file without a line, good or bad."""
    if not batch.total:
        raise BatchError("batch.file.empty")
