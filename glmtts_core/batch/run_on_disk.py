"""A run as its folder shows it, read again when another process has changed the folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from glmtts_core.batch.active_run import ActiveRunEnd
from glmtts_core.batch.loaded import load_run
from glmtts_core.batch.store import RunStore

#: Seconds between two looks whether another process has changed the run.
LOOK_EVERY_S: Final = 2.0


class RunOnDisk:
    """The folder of a run and what was read from it. Not thread-safe.

    Args:
        store: the run's folder.

    Attributes:
        store: the run's folder; another object after each reading.
        loaded: what was read.

    Raises:
        StorageError: the folder cannot be read.
    """

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self.loaded = load_run(store)
        self._looked_s = time.monotonic()
        # the disk did not take the run's end: only memory knows it
        self._end_unwritten = False

    def read_if_changed(self) -> None:
        """Read the run again if another process has changed it; looks every two seconds only.

        Raises:
            StorageError: it cannot be read.
        """
        now_s = time.monotonic()
        if now_s - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = now_s
        if self.store.stamp() != self.loaded.stamp:
            self._end_unwritten = False
            self.read()

    def read(self) -> None:
        """Read the run again, unless its end could not be written.

        Raises:
            StorageError: it cannot be read.
        """
        if not self._end_unwritten:
            self.store = RunStore(self.store.folder)
            self.loaded = load_run(self.store)

    def prepare(self) -> None:
        """Read the run and remove what dead processes have left in it; needs the folder's lock.

        Raises:
            StorageError: the folder cannot be read or written.
        """
        self._end_unwritten = False
        self.read()
        self.store.sweep()
        self.store.remove_sounds(self.loaded.replayed.orphans)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder's lock while inside, and read the run again afterwards.

        Raises:
            BatchError: another process carries on the run.
            StorageError: the folder cannot be read or written.
        """
        lock = self.store.lock()
        try:
            self.prepare()
            yield
            self.prepare()
        finally:
            lock.release()

    def ended(self, end: ActiveRunEnd) -> None:
        """Take over how the run has ended in this process.

        Raises:
            StorageError: the folder cannot be looked at.
        """
        before = self.loaded.replayed
        self._end_unwritten = not end.written
        self.loaded.lost = end.lost
        self.loaded.replayed = replace(
            before,
            state=end.state,
            reason=end.reason,
            active_s=before.active_s + end.pace.active_s,
            cleanups=before.cleanups + end.cleanups,
            regained_bytes=before.regained_bytes + end.regained_bytes,
        )
        self.loaded.stamp = self.store.stamp()
