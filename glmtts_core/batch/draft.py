"""What one session prepares for its next run: a file and recordings on disk, checked in a thread.

Knows nothing about widgets and nothing about running.
"""

from __future__ import annotations

import io
import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from glmtts_core.batch.dry_run import dry_run
from glmtts_core.batch.editing import with_lines
from glmtts_core.batch.lines import BatchInput, RunDefaults
from glmtts_core.batch.references import Added, ReferenceFolder
from glmtts_core.batch.rows import read_batch
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.errors import BatchError, GLMTTSError
from glmtts_core.files import write_whole
from glmtts_core.settings import Settings

_LINES_FILE: Final = "lines"
_ORIGIN_FILE: Final = "origin.json"
_REFERENCES: Final = "references"
_log = logging.getLogger(__name__)


class _Origin(BaseModel):
    """What is kept beside the file.

    Attributes:
        name: under which it came; None before there is one.
        amends: the run that it is to correct; None makes a new one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = None
    amends: str | None = None


@dataclass(frozen=True)
class Check:
    """How far the check of the file is.

    Attributes:
        running: whether it still goes on; what is known so far belongs to the file as it is.
        fraction: 0 to 1 of the lines checked against the engine.
        batch: the read file; None before it is read, or without one.
        result: the same with the lines that can be spoken and all that cannot; None before all is
            checked.
        error: why the file as a whole cannot be used.
    """

    running: bool = False
    fraction: float = 0.0
    batch: BatchInput | None = None
    result: BatchInput | None = None
    error: GLMTTSError | None = None


class _SupersededError(Exception):
    """The file or a setting has changed: what is being checked is of no interest any more."""


class BatchDraft:
    """One session's next run, as far as it is prepared. Thread-safe.

    Args:
        folder: where file and recordings lie; what is there already is taken up again.
        capabilities_of: tells what the engine of a name (None: the preferred one) can do.
        settings: for the longest text and the longest recording.
    """

    def __init__(
        self,
        folder: Path,
        capabilities_of: Callable[[str | None], Capabilities],
        settings: Settings,
    ) -> None:
        self.references = ReferenceFolder(folder / _REFERENCES)
        self._folder = folder
        self._capabilities_of = capabilities_of
        self._settings = settings
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._origin = self._kept_origin()
        self._defaults: RunDefaults | None = None
        self._version = 0
        self._check = Check()
        self._thread: threading.Thread | None = None

    # -- the file ------------------------------------------------------------------------------

    @property
    def name(self) -> str | None:
        """Name of the file; None where there is none."""
        with self._lock:
            return self._origin.name

    @property
    def amends(self) -> str | None:
        """Id of the run that the file is to correct; None makes a new one."""
        with self._lock:
            return self._origin.amends

    @property
    def version(self) -> int:
        """A number that changes with the file, the recordings and the defaults."""
        with self._lock:
            return self._version

    @property
    def check(self) -> Check:
        """How far the check is."""
        with self._lock:
            return self._check

    def take(self, data: bytes, name: str) -> None:
        """Take a file in the place of the one before.

        Raises:
            BatchError: it cannot be kept on the disk.
        """
        self._take(data, _Origin(name=name, amends=self.amends))

    def amend(self, run_id: str, data: bytes, name: str, references: Path) -> None:
        """Take the input of a run to be corrected, with the recordings that it uses.

        Raises:
            BatchError: it cannot be kept on the disk.
        """
        self.drop()
        with _keeping():
            if references.is_dir():
                shutil.copytree(references, self._folder / _REFERENCES)
        self._take(data, _Origin(name=name, amends=run_id))

    def drop_file(self) -> None:
        """Forget the file, to choose another one; recordings and the run to correct stay."""
        with self._lock:
            origin = _Origin(amends=self._origin.amends)
        with _keeping():
            write_whole(self._folder / _ORIGIN_FILE, origin.model_dump_json().encode())
        with self._lock:
            self._origin = origin
            self._start_over(None)

    def _take(self, data: bytes, origin: _Origin) -> None:
        with _keeping():
            write_whole(self._folder / _LINES_FILE, data)
            write_whole(self._folder / _ORIGIN_FILE, origin.model_dump_json().encode())
        with self._lock:
            self._origin = origin
            self._start_over(None)

    def data(self) -> bytes:
        """Return the file's bytes.

        Raises:
            BatchError: it is gone or cannot be read.
        """
        try:
            return (self._folder / _LINES_FILE).read_bytes()
        except OSError as error:
            reason = error.strerror or str(error)
            raise BatchError("batch.draft.gone", reason=reason) from error

    def change_lines(self, changes: Mapping[int, str]) -> None:
        """Put other texts into some of the file's lines.

        Raises:
            BatchError: the file is gone or the changed one cannot be kept.
        """
        self.take(with_lines(self.data(), changes), self.name or "")

    def drop(self) -> None:
        """Forget the file, all recordings and the run to correct."""
        _remove(self._folder)
        with self._lock:
            self.references = ReferenceFolder(self._folder / _REFERENCES)
            self._origin = _Origin()
            self._start_over(None)

    def close(self) -> None:
        """Let go of everything in memory and stop checking; what is on the disk stays."""
        with self._lock:
            self._defaults = None
            self._start_over(None)

    # -- recordings ----------------------------------------------------------------------------

    def add_reference(self, data: bytes, name: str) -> Added:
        """Add a recording, or all those of a ZIP file.

        Raises:
            BatchError: it cannot be taken.
        """
        try:
            if name.lower().endswith(".zip"):
                return self.references.add_zip(name, io.BytesIO(data))
            return Added((self.references.add(name, data),), ())
        finally:
            self._check_again()

    def drop_references(self) -> None:
        """Forget all recordings."""
        _remove(self._folder / _REFERENCES)
        with self._lock:
            self.references = ReferenceFolder(self._folder / _REFERENCES)
        self._check_again()

    # -- the check -----------------------------------------------------------------------------

    def check_with(self, defaults: RunDefaults, wait_s: float = 0.0) -> Check:
        """See to it that the file is checked with ``defaults`` and return how far that is.

        Args:
            defaults: what holds for lines that say nothing else.
            wait_s: how long to wait for the end; short files are checked meanwhile.
        """
        with self._lock:
            if defaults != self._defaults:
                self._defaults = defaults
                self._start_over(self._check.batch)
            elif not self._check.running and self._check == Check():
                self._start_over(None)
            self._changed.wait_for(lambda: not self._check.running, wait_s)
            return self._check

    def _check_again(self) -> None:
        with self._lock:
            self._start_over(self._check.batch)

    def _start_over(self, batch: BatchInput | None) -> None:
        """Begin the check anew, holding the lock; ``batch`` is the file if it is read already."""
        self._version += 1
        if self._origin.name is None or self._defaults is None:
            self._check = Check()
            self._changed.notify_all()
            return
        self._check = Check(running=True, batch=batch)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="batch-check", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        """Check until what is checked is what is wanted."""
        while True:
            with self._lock:
                version, defaults = self._version, self._defaults
                if not self._check.running or defaults is None:
                    self._thread = None
                    return
            try:
                checked = self._checked(version, defaults)
            except _SupersededError:
                continue
            except GLMTTSError as error:
                checked = Check(error=error)
            self._set(version, checked)

    def _checked(self, version: int, defaults: RunDefaults) -> Check:
        with self._lock:
            batch, name, references = self._check.batch, self._origin.name or "", self.references
        if batch is None:
            batch = read_batch(self.data(), name)
            self._set(version, Check(running=True, batch=batch))

        def tell(fraction: float) -> None:
            with self._lock:
                if version != self._version:
                    raise _SupersededError
                self._check = replace(self._check, fraction=fraction)

        capabilities = self._capabilities_of(defaults.engine)
        result = dry_run(batch, defaults, references, capabilities, self._settings, tell)
        return Check(fraction=1.0, batch=batch, result=result)

    def _set(self, version: int, check: Check) -> None:
        with self._lock:
            if version == self._version:
                self._check = check
                self._changed.notify_all()

    def _kept_origin(self) -> _Origin:
        try:
            return _Origin.model_validate_json((self._folder / _ORIGIN_FILE).read_bytes())
        except FileNotFoundError:
            return _Origin()
        except (OSError, ValidationError) as error:
            _log.warning("cannot read what was prepared in %s: %s", self._folder, error)
            return _Origin()


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        # forgotten all the same; after a restart it would be found again
        _log.warning("cannot remove what was prepared in %s: %s", folder, error)


@contextmanager
def _keeping() -> Iterator[None]:
    """Turn what the disk says into one sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise BatchError("batch.draft.not_kept", reason=reason) from error
