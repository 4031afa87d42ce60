"""Has a run's database agree with its sounds: at the start, at the end, and in between."""

from __future__ import annotations

import logging
from contextlib import closing

from glmtts_core.batch.run_files import is_locked, run_lock
from glmtts_core.batch.run_writer import RunWriter
from glmtts_core.batch.states import RunState
from glmtts_core.batch.store import RunStore
from glmtts_core.errors import GLMTTSError
from glmtts_core.message import Message

_log = logging.getLogger(__name__)


def sweep(store: RunStore, writer: RunWriter) -> None:
    """Remove and note what a process that died has left; the caller holds the lock.

    Raises:
        StorageError: the folder or the database cannot be read or written.
    """
    writer.forget_sounds(store.sweep())
    writer.note_sounds(store.missing_sounds())


def look_at_sounds(store: RunStore, seen_ns: int | None) -> int | None:
    """Note which sounds have gone or come back, unless their folder is as it was at ``seen_ns``.

    Returns:
        `RunStore.sounds_changed_ns`, for the next time.

    Raises:
        BatchError, StorageError: the database cannot be read.
    """
    changed_ns = store.sounds_changed_ns()
    # who carries it on keeps the account: to be looked at when that is over
    if changed_ns == seen_ns or is_locked(store.folder):
        return seen_ns
    missing = store.missing_sounds()
    if missing == store.database.lost():
        return changed_ns
    try:
        # for a moment only: somebody may be about to start the run
        with run_lock(store.folder), closing(RunWriter(store)) as writer:
            writer.note_sounds(missing)
    except GLMTTSError as error:
        # such as a folder that cannot be written: looking on works all the same
        _log.info("%s: %s", store.id, error)
    return changed_ns


def write_end(
    store: RunStore, writer: RunWriter, state: RunState, reason: Message | None, active_s: float
) -> tuple[RunState, Message] | None:
    """Write down that a run has ended, and which of its sounds were taken away meanwhile.

    Args:
        store: its folder.
        writer: of its database.
        state: that it is in now.
        reason: why it paused by itself.
        active_s: seconds since its beginning.

    Returns:
        State and reason where the disk does not take them: only memory knows them then.
    """
    try:
        missing = store.missing_sounds()
        if missing:
            writer.note_sounds(missing, queue=True)
            folder = f"{store.audio_folder}"
            gone = Message("batch.run.sounds_gone", {"count": len(missing), "folder": folder})
            state = RunState.PAUSED if state is RunState.FINISHED else state
            reason = reason or gone
        writer.end(state, reason, active_s)
    except GLMTTSError as error:
        # the database says that the run was interrupted, and nothing is lost by that
        _log.warning("%s: %s", store.id, error)
        state = RunState.INTERRUPTED if state is RunState.FINISHED else state
        return state, reason or error.message.plain()
    return None
