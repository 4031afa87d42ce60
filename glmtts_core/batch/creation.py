"""Making a run's folder: whole or not at all, and over nobody else's files."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Final

from glmtts_core.batch.amending import LINES_FILE, PROBLEMS_FILE, corrected_inputs, take_in
from glmtts_core.batch.header import HEADER_FILE, JOURNAL_FILE, RunHeader
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.storage_errors import storage_errors
from glmtts_core.batch.store import (
    AUDIO_FOLDER,
    MANIFEST_FILE,
    REPORT_FILE,
    RunStore,
    refuse_empty,
)
from glmtts_core.batch_files.lines import BatchInput, RunDefaults
from glmtts_core.errors import BatchError
from glmtts_core.files import discard, write_whole
from glmtts_core.quoting import quoted

#: Exists while a run's folder is being created; the other files there belong to that run.
_MAKING_FILE: Final = "making"


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
        BatchError: there is a run in ``folder`` already, or the remains of one; the file holds no
            line; or a recording cannot be taken over.
        StorageError: the disk is full or cannot be written.
    """
    if (folder / HEADER_FILE).exists():
        raise BatchError("batch.run.exists", folder=folder)
    if (folder / JOURNAL_FILE).exists():
        # its sounds may have been spoken with other settings
        raise BatchError("batch.run.headless", folder=folder)
    refuse_empty(batch)
    _refuse_foreign(folder, raw, batch)
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
    with storage_errors(folder):
        write_whole(folder / _MAKING_FILE, b"")
        (folder / AUDIO_FOLDER).mkdir(exist_ok=True)
        take_in(folder, header, raw, batch, references)
        discard(folder / _MAKING_FILE)
    return RunStore(folder)


def _refuse_foreign(folder: Path, raw: bytes, batch: BatchInput) -> None:
    """Refuse a folder whose files a run would take for its own, write over or remove."""
    if (folder / _MAKING_FILE).exists():
        return  # made by a process that died in the middle
    with storage_errors(folder.parent):
        ours = [folder / name for name in (LINES_FILE, PROBLEMS_FILE, MANIFEST_FILE, REPORT_FILE)]
        found = [path for path in ours if os.path.lexists(path)]
        found += [*folder.glob(f"{AUDIO_FOLDER}/*"), *corrected_inputs(folder)]
        source = folder / f"input.{batch.format}"
        if os.path.lexists(source) and not (source.is_file() and source.read_bytes() == raw):
            found.append(source)
    if found:
        name = f"{sorted(found)[0].relative_to(folder)}"
        raise BatchError("batch.run.foreign", folder=folder, name=quoted(name))
