"""All runs of a studio: those that go on and those of the past, for every session alike.

Thread-safe. `batches_of` is the door.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import time
import weakref
from collections import defaultdict, deque
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from glmtts_core.batch.executor import ExecutorFactory, LocalExecutor
from glmtts_core.batch.intake import create_run, remove_run, run_in
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.run_files import AUDIO_FOLDER, DOOMED, LOCK_FILE, MAKING_FILE, is_locked
from glmtts_core.batch.states import RunState, RunSummary
from glmtts_core.batch.store import RunStore
from glmtts_core.batch_draft.dry_run import check_defaults
from glmtts_core.batch_files.lines import BatchInput, RunDefaults
from glmtts_core.errors import BatchError, GLMTTSError, StorageError
from glmtts_core.files import discard, folders_in, is_file_name
from glmtts_core.quoting import quoted
from glmtts_core.studio.studio import Studio

#: Runs that are kept in memory though they do not go on and nobody holds them.
_KEPT: Final = 4
_RUN_PREFIX: Final = "batch-"
#: Age of a folder that is no run and will not become one: making one takes seconds.
_UNMADE_S: Final = 3600.0
#: Seconds that closing waits for each run to write down where it stands.
_CLOSE_S: Final = 4.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UnreadableRun:
    """A run that cannot be shown or carried on.

    Attributes:
        id: name of its folder.
        error: which file is in the way, and what to do.
    """

    id: str
    error: GLMTTSError


@dataclass(frozen=True, slots=True)
class RunListing:
    """All runs under a folder: those that can be read, the newest first, and the others."""

    runs: tuple[RunSummary, ...]
    unreadable: tuple[UnreadableRun, ...]


def batches_of(studio: Studio) -> Batches:
    """Return the runs of ``studio``, the same ones to every caller.

    Raises:
        SynthesisCancelled: the program is closing.
    """
    return studio.services.get(Batches, lambda: Batches(studio))


class Batches:
    """The runs under a studio's output folder.

    Args:
        studio: speaks the lines.
        make_executor: makes who speaks them instead.
    """

    def __init__(self, studio: Studio, make_executor: ExecutorFactory | None = None) -> None:
        self._studio = studio
        self._make_executor = make_executor or (lambda sink: LocalExecutor(studio, sink))
        self._root = studio.settings.output_dir
        self._lock = threading.Lock()
        # weak: active runs are kept alive by their threads, shown ones by their pages
        self._open: weakref.WeakValueDictionary[Path, BatchRun] = weakref.WeakValueDictionary()
        # an earlier layout takes seconds, for which only those wait who want that very run
        self._opening: defaultdict[Path, threading.RLock] = defaultdict(threading.RLock)
        self._recent: deque[BatchRun] = deque(maxlen=_KEPT)
        _clear_unmade(self._root)

    def create(
        self,
        name: str,
        raw: bytes,
        batch: BatchInput,
        defaults: RunDefaults,
        *,
        policy: CleanupPolicy | None = None,
        references: Path | None = None,
        folder: Path | None = None,
    ) -> BatchRun:
        """Make a run; `BatchRun.start` begins to speak.

        Args:
            name: of the input file.
            raw: the input file as it came in.
            batch: its lines as checked: those that can be spoken, and those set aside.
            defaults: what holds for lines that say nothing else.
            policy: when to clean up; None takes the default.
            references: the folder of the recordings; those that lines name are copied.
            folder: of the run; None makes one under the output folder.

        Raises:
            BatchError: there is a run in ``folder`` already, or a recording cannot be taken over.
            RequestError: the engine cannot do what ``defaults`` say.
            StorageError: the disk is full or cannot be written.
        """
        check_defaults(defaults, self._studio.engines.find(defaults.engine).capabilities)
        chosen = folder or self._root / _new_run_id()
        try:
            create_run(chosen, name, raw, batch, defaults, policy or CleanupPolicy(), references)
        except GLMTTSError:
            if folder is None:
                shutil.rmtree(chosen, ignore_errors=True)
            raise
        return self.open(chosen)

    def run(self, run_id: str) -> BatchRun:
        """Return a run under the output folder by its id, the same object to every caller.

        Raises:
            BatchError: there is none of that name.
            StorageError: it cannot be read.
        """
        return self.open(self._folder_of(run_id))

    def open(self, folder: Path) -> BatchRun:
        """Return the run in ``folder``, wherever that is; as `run`."""
        key = folder.resolve()
        with self._only_opener(key):
            found = self._open.get(key) or self._opened(key)
            with self._lock:
                self._open[key] = found
                if found not in self._recent:
                    self._recent.append(found)
            return found

    def _only_opener(self, key: Path) -> threading.RLock:
        with self._lock:
            return self._opening[key]

    def _opened(self, folder: Path) -> BatchRun:
        store = RunStore(folder)
        try:
            return BatchRun(store, self._make_executor, self._studio.settings.max_reference_s)
        except GLMTTSError:
            store.close()
            raise

    def listing(self) -> RunListing:
        """Return all runs under the output folder.

        Raises:
            StorageError: the output folder cannot be read.
        """
        found: list[RunSummary] = []
        unreadable: list[UnreadableRun] = []
        for folder in _folders(self._root):
            if not _holds_run(folder):
                continue
            try:
                found.append(self._summary(folder))
            except GLMTTSError as error:
                _log.warning("the run %s cannot be read: %s", folder.name, error)
                unreadable.append(UnreadableRun(folder.name, error))
        found.sort(key=lambda each: each.created_at, reverse=True)
        unreadable.sort(key=lambda each: each.id, reverse=True)
        return RunListing(tuple(found), tuple(unreadable))

    def summaries(self) -> tuple[RunSummary, ...]:
        """Return the runs of `listing` that can be read, the newest first; raises as that."""
        return self.listing().runs

    def active(self) -> tuple[BatchRun, ...]:
        """Return the runs that go on in this process."""
        with self._lock:
            return tuple(run for run in self._open.values() if run.active)

    def remove(self, run_id: str) -> None:
        """Delete a run with all its sounds, readable or not.

        Raises:
            BatchError: it goes on, or there is none of that name.
            StorageError: its folder cannot be changed.
        """
        folder = self._folder_of(run_id)
        if not _holds_run(folder):
            raise BatchError("batch.run.missing", name=quoted(run_id))
        remove_run(folder)
        with self._lock:
            run = self._open.pop(folder.resolve(), None)
            if run is not None and run in self._recent:
                self._recent.remove(run)

    def close(self) -> None:
        """Interrupt what goes on, so that it can be resumed after the next start."""
        active = self.active()
        for run in active:
            run.interrupt()
        for run in active:
            if not run.wait(_CLOSE_S):
                _log.warning("the run %s did not stop in time; it can be resumed", run.id)
        with self._lock:
            for run in self._open.values():
                if not run.active:
                    run.store.close()

    def _folder_of(self, run_id: str) -> Path:
        # the id may have come from an address
        if not is_file_name(run_id):
            raise BatchError("batch.run.missing", name=quoted(run_id))
        return self._root / run_id

    def _summary(self, folder: Path) -> RunSummary:
        with self._lock:
            run = self._open.get(folder.resolve())
        if run is not None:
            return run.summary()
        with self._only_opener(folder.resolve()), closing(RunStore(folder)) as store:
            header, state = store.database.header(), store.database.state()
            counts = store.database.counts(state)
            unsettled = state is RunState.RUNNING or is_locked(folder)
            if unsettled or len(store.audio_names()) < counts.done:
                return self.open(folder).summary()
        return RunSummary(folder.name, header.name, header.created_at, state, counts)


def _folders(root: Path) -> list[Path]:
    try:
        return folders_in(root)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError("batch.run.no_list", folder=root, reason=reason) from error


def _holds_run(folder: Path) -> bool:
    """Whether a run lies in ``folder``, be it one of which the database is gone."""
    made = folder.name.startswith(_RUN_PREFIX) and not (folder / MAKING_FILE).exists()
    return run_in(folder) or (made and (folder / AUDIO_FOLDER).is_dir())


def _clear_unmade(root: Path) -> None:
    """Remove what is left of runs whose process died while it made or deleted them."""
    oldest_s = time.time() - _UNMADE_S
    try:
        folders = _folders(root)
    except StorageError as error:
        _log.warning("cannot look for unmade runs: %s", error)
        return
    for folder in folders:
        try:
            if DOOMED.fullmatch(folder.name) or _unmade(folder, oldest_s):
                discard(folder)
        except OSError as error:
            _log.warning("cannot clear the unmade run %s: %s", folder, error)


def _unmade(folder: Path, oldest_s: float) -> bool:
    if not folder.name.startswith(_RUN_PREFIX) or run_in(folder):
        return False
    names = {each.name for each in folder.iterdir()}
    return (MAKING_FILE in names or names <= {LOCK_FILE}) and folder.stat().st_mtime < oldest_s


def _new_run_id() -> str:
    now = datetime.now().astimezone()
    return f"{_RUN_PREFIX}{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
