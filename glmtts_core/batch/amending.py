"""Taking a corrected file into a run: what is spoken and unchanged is not spoken again.

That a changed text or setting is spoken anew needs nothing here: the journal counts for the very
content it was written for. That a recording became another one does.
"""

from __future__ import annotations

from pathlib import Path

from glmtts_core.batch.lines import (
    BatchInput,
    RunDefaults,
    reference_name_of,
    spoken_otherwise,
)
from glmtts_core.batch.loaded import load_run
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.recorder import Recorder
from glmtts_core.batch.states import LineState, RunState
from glmtts_core.batch.store import RunStore, storage_errors
from glmtts_core.batch.table import LineTable


def amend_run(
    store: RunStore,
    raw: bytes,
    batch: BatchInput,
    references: Path | None,
    defaults: RunDefaults | None = None,
    policy: CleanupPolicy | None = None,
) -> None:
    """Replace the input of a run whose lock the caller holds.

    Args:
        store: the run's folder.
        raw: the corrected file as it came in.
        batch: its lines as checked.
        references: the folder of the recordings; those that lines name are copied.
        defaults: take the place of the run's; lines that they change are spoken anew.
        policy: takes the place of the run's.

    Raises:
        BatchError: a recording cannot be taken over.
        StorageError: the folder cannot be read or written.
    """
    _prepare(store, references, defaults)
    store.replace_input(raw, batch, references, defaults, policy)
    note_state(store, RunState.READY)


def note_state(store: RunStore, state: RunState) -> None:
    """Write down that a run whose lock the caller holds, and that does not go on, is in ``state``.

    Raises:
        StorageError: the folder cannot be read or written.
    """
    table = load_run(store).table
    table.skip_waiting(state is RunState.CANCELLED)
    recorder = Recorder(store, table)
    try:
        recorder.run(state)
    finally:
        recorder.close()


def _prepare(store: RunStore, references: Path | None, defaults: RunDefaults | None) -> None:
    table = load_run(store).table
    recorder = Recorder(store, table)
    try:
        recorder.amending()
        if references is not None:
            _speak_anew_with(store, table, recorder, references)
        if defaults is not None:
            for position in table.positions({LineState.DONE, LineState.FAILED}):
                if spoken_otherwise(table.lines[position], store.header.defaults, defaults):
                    recorder.queued(position)
    finally:
        recorder.close()


def _speak_anew_with(
    store: RunStore, table: LineTable, recorder: Recorder, references: Path
) -> None:
    """Have lines wait again whose recording is another one now."""
    changed: dict[str, bool] = {}
    for position in table.positions({LineState.DONE, LineState.FAILED}):
        name = reference_name_of(table.lines[position], store.header.defaults)
        if name is None:
            continue
        if name not in changed:
            changed[name] = _is_another(references / name, store.references.folder / name)
        if changed[name]:
            recorder.queued(position)


def _is_another(new: Path, old: Path) -> bool:
    with storage_errors(old.parent):
        return new.is_file() and (not old.is_file() or new.read_bytes() != old.read_bytes())
