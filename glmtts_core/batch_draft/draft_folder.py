"""The files of a draft on disk: the batch file, where it comes from, and the recordings."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from glmtts_core.batch_files.lines import BatchInput
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.errors import BatchError
from glmtts_core.files import write_whole

_LINES_FILE: Final = "lines"
_ORIGIN_FILE: Final = "origin.json"
_REFERENCES: Final = "references"
_log = logging.getLogger(__name__)


class DraftOrigin(BaseModel):
    """Where a draft's file comes from; kept beside it.

    Attributes:
        name: of the uploaded file; None without one.
        amends: the run that the file is to correct; None makes a new one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = None
    amends: str | None = None


class DraftFolder:
    """Reads and writes a draft's files.

    Attributes:
        references: where the recordings lie.
    """

    def __init__(self, folder: Path) -> None:
        self.references = folder / _REFERENCES
        self._folder = folder

    def origin(self) -> DraftOrigin:
        """Return the saved origin; without a readable one, an empty origin."""
        try:
            return DraftOrigin.model_validate_json((self._folder / _ORIGIN_FILE).read_bytes())
        except FileNotFoundError:
            return DraftOrigin()
        except (OSError, ValidationError) as error:
            _log.warning("cannot read the batch draft in %s: %s", self._folder, error)
            return DraftOrigin()

    def data(self) -> bytes:
        """Return the bytes of the batch file.

        Raises:
            BatchError: it is gone or cannot be read.
        """
        try:
            return (self._folder / _LINES_FILE).read_bytes()
        except OSError as error:
            reason = error.strerror or str(error)
            raise BatchError("batch.draft.gone", reason=reason) from error

    def save(self, origin: DraftOrigin, data: bytes | None = None) -> None:
        """Write the origin, and first the batch file where ``data`` is given.

        Raises:
            BatchError: the disk is full or cannot be written.
        """
        with _disk_errors():
            if data is not None:
                write_whole(self._folder / _LINES_FILE, data)
            write_whole(self._folder / _ORIGIN_FILE, origin.model_dump_json().encode())

    def copy_references(self, source: Path) -> None:
        """Copy the recordings in ``source``; without such a folder, nothing happens.

        Raises:
            BatchError: the disk is full or cannot be written.
        """
        with _disk_errors():
            if source.is_dir():
                shutil.copytree(source, self.references)

    def remove(self) -> None:
        """Remove all files."""
        _remove(self._folder)

    def remove_references(self) -> None:
        """Remove the recordings."""
        _remove(self.references)


class DraftFile:
    """The batch file of a draft; its lines are read once. Thread-safe.

    Attributes:
        batch: its lines; None until they are read.
    """

    def __init__(self, folder: DraftFolder, name: str) -> None:
        self.batch: BatchInput | None = None
        self._folder = folder
        self._name = name
        self._lock = threading.Lock()

    def read(self) -> BatchInput:
        """Return its lines.

        Raises:
            BatchError: the file is gone or cannot be read, or is no batch file.
        """
        with self._lock:
            if self.batch is None:
                self.batch = read_batch(self._folder.data(), self._name)
            return self.batch


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        # the draft starts empty all the same; after a restart the files would be back
        _log.warning("cannot remove the batch draft in %s: %s", folder, error)


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Turn errors of the disk into one sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise BatchError("batch.draft.not_kept", reason=reason) from error
