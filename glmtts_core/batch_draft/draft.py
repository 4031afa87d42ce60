"""What a session prepares for its next run: a file and recordings, checked in the background.

Knows nothing about widgets and nothing about running.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from glmtts_core.batch_draft.draft_folder import DraftFile, DraftFolder, DraftOrigin
from glmtts_core.batch_draft.dry_run import dry_run
from glmtts_core.batch_files.editing import with_lines
from glmtts_core.batch_files.lines import BatchInput, RunDefaults
from glmtts_core.batch_files.references import Added, ReferenceFolder
from glmtts_core.engines.base import CancelToken
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.errors import GLMTTSError
from glmtts_core.settings import Settings
from glmtts_core.studio.background import BackgroundTask


@dataclass(frozen=True)
class InputCheck:
    """The check of a draft's file at one moment.

    Attributes:
        running: whether it is being checked.
        fraction: the checked part of the lines, 0 to 1.
        batch: the file as read; None before that, or without a file.
        result: the file with the lines that can be spoken, and all that cannot; None before the
            check's end.
        error: why the file as a whole cannot be used.
    """

    running: bool = False
    fraction: float = 0.0
    batch: BatchInput | None = None
    result: BatchInput | None = None
    error: GLMTTSError | None = None


class BatchDraft:
    """The draft of one session's next run. Thread-safe.

    Args:
        folder: where file and recordings lie; files of an earlier draft are used again.
        capabilities_of: returns what the engine of a name (None: the preferred one) can do.
        settings: for the longest text and the longest recording.
    """

    def __init__(
        self,
        folder: Path,
        capabilities_of: Callable[[str | None], Capabilities],
        settings: Settings,
    ) -> None:
        self._folder = DraftFolder(folder)
        self._capabilities_of = capabilities_of
        self._settings = settings
        self._lock = threading.Lock()
        self._origin = self._folder.origin()
        self._file = self._unread_file()
        self._references = ReferenceFolder(self._folder.references)
        self._defaults: RunDefaults | None = None
        self._version = 0
        self._task: BackgroundTask[BatchInput] | None = None

    # -- the file ------------------------------------------------------------------------------

    @property
    def name(self) -> str | None:
        """Name of the file; None without one."""
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

    def take(self, data: bytes, name: str) -> None:
        """Take a file, in place of an earlier one.

        Raises:
            BatchError: it cannot be written to the disk.
        """
        self._take(data, DraftOrigin(name=name, amends=self.amends))

    def amend(self, run_id: str, data: bytes, name: str, references: Path) -> None:
        """Take the input of a run to be corrected, with the recordings that it uses.

        Raises:
            BatchError: it cannot be written to the disk.
        """
        self.drop()
        self._folder.copy_references(references)
        self._take(data, DraftOrigin(name=name, amends=run_id))

    def drop_file(self) -> None:
        """Forget the file, to choose another one; recordings and the run to correct stay.

        Raises:
            BatchError: the disk cannot be written.
        """
        self._take(None, DraftOrigin(amends=self.amends))

    def data(self) -> bytes:
        """Return the file's bytes.

        Raises:
            BatchError: it is gone or cannot be read.
        """
        return self._folder.data()

    def change_lines(self, changes: Mapping[int, str]) -> None:
        """Replace the texts of some of the file's lines.

        Raises:
            BatchError: the file is gone, or the changed one cannot be written to the disk.
        """
        self.take(with_lines(self.data(), changes, self.check.batch), self.name or "")

    def drop(self) -> None:
        """Forget the file, all recordings and the run to correct."""
        self._folder.remove()
        with self._lock:
            self._references = ReferenceFolder(self._folder.references)
            self._use(DraftOrigin())

    def close(self) -> None:
        """Stop checking and free the memory; the files stay on the disk."""
        with self._lock:
            self._defaults = None
            self._use(self._origin)

    def _take(self, data: bytes | None, origin: DraftOrigin) -> None:
        self._folder.save(origin, data)
        with self._lock:
            self._use(origin)

    def _use(self, origin: DraftOrigin) -> None:
        """Go on with the file of ``origin``, unread; needs the lock."""
        self._origin = origin
        self._file = self._unread_file()
        self._restart_check()

    def _unread_file(self) -> DraftFile | None:
        name = self._origin.name
        return None if name is None else DraftFile(self._folder, name)

    # -- recordings ----------------------------------------------------------------------------

    @property
    def references(self) -> ReferenceFolder:
        """The recordings."""
        with self._lock:
            return self._references

    def add_reference(self, data: bytes, name: str) -> Added:
        """Add a recording, or all those of a ZIP file.

        Raises:
            BatchError: it cannot be taken.
        """
        references = self.references
        try:
            if name.lower().endswith(".zip"):
                return references.add_zip(name, io.BytesIO(data))
            return Added((references.add(name, data),), ())
        finally:
            with self._lock:
                self._restart_check()

    def drop_references(self) -> None:
        """Forget all recordings."""
        self._folder.remove_references()
        with self._lock:
            self._references = ReferenceFolder(self._folder.references)
            self._restart_check()

    # -- the check -----------------------------------------------------------------------------

    @property
    def check(self) -> InputCheck:
        """The check of the file as it is now."""
        with self._lock:
            if self._file is None or self._task is None:
                return InputCheck()
            view = self._task.view()
            return InputCheck(
                view.running, view.fraction, self._file.batch, view.result, view.error
            )

    def check_with(self, defaults: RunDefaults, wait_s: float = 0.0) -> InputCheck:
        """Check the file with ``defaults``, unless that is done or under way; return the check.

        Args:
            defaults: what holds for lines that say nothing else.
            wait_s: how long to wait for the check's end.
        """
        with self._lock:
            if defaults != self._defaults:
                self._defaults = defaults
                self._restart_check()
            task = self._task
        if task is not None:
            task.wait(wait_s)
        return self.check

    def _restart_check(self) -> None:
        """Cancel the running check and start one of what holds now; needs the lock."""
        self._version += 1
        if self._task is not None:
            self._task.cancel()
        self._task = None
        file, defaults, references = self._file, self._defaults, self._references
        if file is None or defaults is None:
            return

        def work(cancel: CancelToken, report: Callable[[float], None]) -> BatchInput:
            def on_progress(fraction: float) -> None:
                cancel.raise_if_cancelled()
                report(fraction)

            batch = file.read()
            cancel.raise_if_cancelled()
            capabilities = self._capabilities_of(defaults.engine)
            return dry_run(batch, defaults, references, capabilities, self._settings, on_progress)

        self._task = BackgroundTask("batch-check")
        self._task.start(work)
