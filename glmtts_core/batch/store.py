"""A run's folder on the disk: what came in, the journal, and a WAV file for every line done.

::

    run.json            what the run is; written last, so that a folder without it is no run
    input.jsonl         the file as it came in (or .csv, .tsv)
    lines.jsonl         its checked lines
    problems.jsonl      the lines that were set aside
    references/         the recordings that lines name
    journal.jsonl       every change of state
    audio/              the sounds
    lock                held by the process that carries on the run

Every file but the journal is written to a temporary name and renamed. Knows nothing about engines.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from glmtts_core.batch.fields import quoted
from glmtts_core.batch.lines import (
    BatchInput,
    BatchLine,
    InputFormat,
    LineProblem,
    RunDefaults,
    reference_name_of,
)
from glmtts_core.batch.lock import RunLock, is_locked
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.references import ReferenceFolder
from glmtts_core.errors import BatchError, StorageError
from glmtts_core.files import PARTIAL_PATTERN, write_whole

HEADER_FILE: Final = "run.json"
_LINES_FILE: Final = "lines.jsonl"
_PROBLEMS_FILE: Final = "problems.jsonl"
#: Name of the folder of the sounds inside the run's.
AUDIO_FOLDER: Final = "audio"
_REFERENCES_FOLDER: Final = "references"
T = TypeVar("T")


class RunHeader(BaseModel):
    """What a run is, apart from its lines.

    Attributes:
        name: of the input file.
        created_at: with time zone.
        encoding: of the input file, as shown.
        input_format: how the input file is laid out.
        lines: how many can be spoken.
        problems: how many are set aside.
        defaults: what holds for lines that say nothing else.
        policy: when it cleans up.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    created_at: datetime
    encoding: str
    input_format: InputFormat
    lines: int
    problems: int
    defaults: RunDefaults
    policy: CleanupPolicy


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
        self.journal_path = folder / "journal.jsonl"
        self.audio_folder = folder / AUDIO_FOLDER
        self.references = ReferenceFolder(folder / _REFERENCES_FOLDER)
        self._lock_path = folder / "lock"
        self.header = self._read_header()

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def input_path(self) -> Path:
        """The input file as it came in."""
        return self.folder / f"input.{self.header.input_format}"

    def read_input(self) -> bytes:
        """Return the input file as it came in.

        Raises:
            StorageError: it cannot be read.
        """
        try:
            return self.input_path.read_bytes()
        except OSError as error:
            raise _unreadable(self.input_path, error.strerror or str(error)) from error

    def lines(self) -> tuple[BatchLine, ...]:
        """Read the lines that can be spoken, in the file's order.

        Raises:
            StorageError: they cannot be read.
        """
        return tuple(self._values(_LINES_FILE, BatchLine.from_dict))

    def problems(self) -> tuple[LineProblem, ...]:
        """Read the lines that are set aside, in the file's order.

        Raises:
            StorageError: they cannot be read.
        """
        return tuple(self._values(_PROBLEMS_FILE, LineProblem.from_dict))

    # -- sounds --------------------------------------------------------------------------------

    def audio_path(self, line: BatchLine) -> Path:
        """Return where the sound of ``line`` lies, or will lie."""
        return self.audio_folder / f"{line.file_stem}.wav"

    def write_audio(self, line: BatchLine, wav: bytes) -> None:
        """Keep the sound of a line, whole or not at all.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        with storage_errors(self.folder):
            write_whole(self.audio_path(line), wav)

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

    def audio_names(self) -> frozenset[str]:
        """Return the names of the sounds that are there."""
        return frozenset(path.name for path in self.audio_folder.glob("*.wav"))

    def journal_bytes(self) -> int:
        """Return the size of the journal; 0 where there is none yet."""
        try:
            return self.journal_path.stat().st_size
        except FileNotFoundError:
            return 0

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
        """Remove what a process that died has left half written.

        Raises:
            StorageError: the folder cannot be written.
        """
        with storage_errors(self.folder):
            for folder in (self.folder, self.audio_folder):
                for partial in folder.glob(PARTIAL_PATTERN):
                    partial.unlink(missing_ok=True)
            for partial in self.references.folder.rglob(PARTIAL_PATTERN):
                partial.unlink(missing_ok=True)

    def replace_input(
        self,
        raw: bytes,
        batch: BatchInput,
        references: Path | None,
        defaults: RunDefaults | None = None,
        policy: CleanupPolicy | None = None,
    ) -> None:
        """Take a corrected file in the place of the run's; what is in the journal stays there.

        With ``defaults`` and ``policy`` these take the place of the run's too.

        Raises:
            BatchError: a recording cannot be taken over.
            StorageError: the disk is full or cannot be written.
        """
        header = self.header.model_copy(
            update={
                "encoding": batch.encoding,
                "input_format": batch.format,
                "lines": len(batch.lines),
                "problems": len(batch.problems),
                "defaults": defaults or self.header.defaults,
                "policy": policy or self.header.policy,
            }
        )
        before = self.input_path
        self.header = _write(self.folder, header, raw, batch, references)
        kept = {f"{line.file_stem}.wav" for line in batch.lines}
        with storage_errors(self.folder):
            for path in self.audio_folder.glob("*.wav"):
                if path.name not in kept:
                    path.unlink(missing_ok=True)
            if before != self.input_path:
                before.unlink(missing_ok=True)

    # -- reading ---------------------------------------------------------------------------------

    def _read_header(self) -> RunHeader:
        path = self.folder / HEADER_FILE
        try:
            return RunHeader.model_validate_json(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise BatchError("batch.run.missing", name=quoted(self.folder.name)) from error
        except ValidationError as error:
            raise _unreadable(path, "JSON") from error
        except OSError as error:
            raise _unreadable(path, error.strerror or str(error)) from error

    def _values(self, name: str, make: Callable[[Mapping[str, Any]], T]) -> Iterator[T]:
        path = self.folder / name
        try:
            with path.open(encoding="utf-8") as file:
                for line in file:
                    yield make(json.loads(line))
        except OSError as error:
            raise _unreadable(path, error.strerror or str(error)) from error
        except (ValueError, TypeError) as error:
            raise _unreadable(path, str(error)) from error


def create_store(
    folder: Path,
    name: str,
    raw: bytes,
    batch: BatchInput,
    defaults: RunDefaults,
    policy: CleanupPolicy,
    references: Path | None = None,
) -> RunStore:
    """Make a run's folder.

    Args:
        folder: where; made where there is none, and it may hold other files already.
        name: of the input file.
        raw: the input file as it came in.
        batch: its lines as checked: those that can be spoken, and those set aside.
        defaults: what holds for lines that say nothing else.
        policy: when the run cleans up.
        references: the folder of the recordings; those that lines name are copied.

    Raises:
        BatchError: there is a run in ``folder`` already, or a recording cannot be taken over.
        StorageError: the disk is full or cannot be written.
    """
    if (folder / HEADER_FILE).exists():
        raise BatchError("batch.run.exists", folder=folder)
    header = RunHeader(
        name=name,
        created_at=datetime.now().astimezone(),
        encoding=batch.encoding,
        input_format=batch.format,
        lines=len(batch.lines),
        problems=len(batch.problems),
        defaults=defaults,
        policy=policy,
    )
    _write(folder, header, raw, batch, references)
    return RunStore(folder)


@contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn what the system says inside into one sentence about ``folder``.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError("storage.write", folder=folder, reason=reason) from error


def _write(
    folder: Path, header: RunHeader, raw: bytes, batch: BatchInput, references: Path | None
) -> RunHeader:
    with storage_errors(folder):
        (folder / AUDIO_FOLDER).mkdir(parents=True, exist_ok=True)
        (folder / _REFERENCES_FOLDER).mkdir(exist_ok=True)
        if references is not None:
            _copy_references(folder / _REFERENCES_FOLDER, references, batch, header.defaults)
        write_whole(folder / f"input.{header.input_format}", raw)
        write_whole(folder / _PROBLEMS_FILE, _json_lines(batch.problems))
        write_whole(folder / _LINES_FILE, _json_lines(batch.lines))
        write_whole(folder / HEADER_FILE, header.model_dump_json(indent=1).encode())
    return header


def _copy_references(into: Path, source: Path, batch: BatchInput, defaults: RunDefaults) -> None:
    named = {reference_name_of(line, defaults) for line in batch.lines} - {None}
    folder = ReferenceFolder(source)
    for name in sorted(each for each in named if each is not None):
        target = into / name
        # a name that leads out of the folder was refused when the lines were checked
        if not target.resolve().is_relative_to(into.resolve()):
            raise BatchError("batch.reference.outside", name=name)
        write_whole(target, folder.read(name))


def _json_lines(values: Iterable[BatchLine | LineProblem]) -> bytes:
    # half a surrogate pair inside an excerpt could not be encoded otherwise
    return "".join(f"{json.dumps(each.to_dict())}\n" for each in values).encode()


def _unreadable(path: Path, reason: str) -> StorageError:
    return StorageError("batch.run.unreadable", path=path, reason=reason)


def remove_store(store: RunStore) -> None:
    """Delete a run with all its sounds.

    Raises:
        BatchError: someone carries it on.
        StorageError: the folder cannot be changed.
    """
    lock = store.lock()
    try:
        with storage_errors(store.folder):
            # without its header it is no run any more, should the rest be cut short
            (store.folder / HEADER_FILE).unlink(missing_ok=True)
            shutil.rmtree(store.folder)
    finally:
        lock.release()
