"""Taking in a run's input, the first or a corrected one: all of it holds, or nothing has changed.

The files of an input are written first; then one transaction has it hold.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from glmtts_core.batch.earlier_files import EARLIER_FILES
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.run_database import RunHeader
from glmtts_core.batch.run_files import (
    AUDIO_FOLDER,
    DATABASE_FILE,
    MAKING_FILE,
    MANIFEST_FILE,
    REFERENCES_FOLDER,
    REPORT_FILE,
    corrected_inputs,
    doomed_path,
    input_folder,
    next_input,
    run_lock,
    sweep_inputs,
)
from glmtts_core.batch.run_schema import NOTE_LENGTHS, SCHEMA
from glmtts_core.batch.run_writer import RunWriter
from glmtts_core.batch.states import RunState
from glmtts_core.batch.store import RunStore
from glmtts_core.batch_files.lines import (
    BatchInput,
    BatchLine,
    RunDefaults,
    reference_name_of,
    with_settings,
)
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.database import build_database
from glmtts_core.errors import BatchError
from glmtts_core.escaping import encodable
from glmtts_core.files import discard, flush_folder, write_whole
from glmtts_core.quoting import quoted
from glmtts_core.storage_errors import storage_errors
from glmtts_core.stored import json_text

_MAKE: Final = """
    INSERT INTO run (id, header, input_version, state, active_s) VALUES (1, ?, ?, ?, 0)"""
_CORRECT: Final = "UPDATE run SET header = ?, input_version = ?, state = ?, reason = NULL"
#: How a line of a corrected input stands: as the one of the same name and content did; done, too,
#: where its file still holds its sound.
_INSERT_LINE: Final = """
    INSERT INTO line (position, line, uttid, file_stem, content_hash, state, lost, attempt)
    SELECT :position, :line, :uttid, :file_stem, :content_hash,
        CASE WHEN sound.content_hash IS NOT NULL THEN 'done'
            WHEN before.state = 'failed' THEN 'failed' ELSE 'queued' END,
        coalesce(before.lost, 0),
        (SELECT max(id) FROM attempt WHERE uttid = :uttid AND content_hash = :content_hash
            AND outcome IN ('done', 'failed', 'retried'))
    FROM (SELECT 1)
        LEFT JOIN sound ON sound.file_stem = :file_stem AND sound.content_hash = :content_hash
            AND EXISTS (SELECT 1 FROM attempt WHERE uttid = :uttid
                AND content_hash = :content_hash AND outcome = 'done')
        LEFT JOIN temp.before ON before.uttid = :uttid AND before.content_hash = :content_hash"""
_log = logging.getLogger(__name__)


def create_run(
    folder: Path,
    name: str,
    raw: bytes,
    batch: BatchInput,
    defaults: RunDefaults,
    policy: CleanupPolicy,
    references: Path | None = None,
) -> None:
    """Make a run's folder: whole or not at all, and over nobody else's files.

    Args:
        folder: where; made where there is none, and it may hold other files already.
        name: of the input file.
        raw: the input file as it came in.
        batch: its lines as checked: those that can be spoken, and those set aside.
        defaults: what holds for lines that say nothing else.
        policy: when the run cleans up.
        references: the folder of the recordings; those that lines name are copied.

    Raises:
        BatchError: there is a run in ``folder`` already; the file holds no line; or a recording
            cannot be taken over.
        StorageError: the disk is full or cannot be written.
    """
    if run_in(folder):
        raise BatchError("batch.run.exists", folder=folder)
    _refuse_empty(batch)
    _refuse_foreign(folder, raw, batch)
    header = RunHeader(
        name=name,
        created_at=datetime.now().astimezone(),
        encoding=batch.encoding,
        input_format=batch.format,
        defaults=defaults,
        policy=policy,
    )
    with storage_errors(folder):
        write_whole(folder / MAKING_FILE, b"")
        (folder / AUDIO_FOLDER).mkdir(exist_ok=True)
        _write_input(folder, raw, batch, defaults, references)
        try:
            build_database(folder / DATABASE_FILE, SCHEMA, partial(_put, _MAKE, header, 0, batch))
        except FileExistsError as error:
            raise BatchError("batch.run.exists", folder=folder) from error
        discard(folder / MAKING_FILE)


def replace_input(
    store: RunStore,
    writer: RunWriter,
    raw: bytes,
    batch: BatchInput,
    references: Path | None,
    defaults: RunDefaults | None = None,
    policy: CleanupPolicy | None = None,
) -> None:
    """Take a corrected file in the place of a run's, whose lock the caller holds.

    Killed at any moment, either all of it holds or the run is as it was. Where ``defaults`` or
    ``policy`` are given, they take the place of the run's.

    Raises:
        BatchError: a recording cannot be taken over, or the file holds no line.
        StorageError: the disk is full or cannot be written.
    """
    _refuse_empty(batch)
    before, held = store.database.header(), store.database.input_version()
    header = _header_after(before, batch, defaults, policy)
    known = (row.line for row in store.database.rows())
    lines = with_settings(batch.lines, known, before.defaults, header.defaults)
    batch = replace(batch, lines=lines)
    with storage_errors(store.folder):
        # of a correction that was cut short
        sweep_inputs(store.folder, held)
        version = next_input(store.folder, held)
        target = input_folder(store.folder, version)
        _write_input(target, raw, batch, header.defaults, references, store.references.folder)
        flush_folder(store.folder)
    writer.correct(partial(_put, _CORRECT, header, version, batch))


def _header_after(
    before: RunHeader,
    batch: BatchInput,
    defaults: RunDefaults | None,
    policy: CleanupPolicy | None,
) -> RunHeader:
    return before.model_copy(
        update={
            "encoding": batch.encoding,
            "input_format": batch.format,
            "defaults": defaults or before.defaults,
            "policy": policy or before.policy,
        }
    )


def remove_run(folder: Path) -> None:
    """Delete a run with all its sounds, readable or not.

    Raises:
        BatchError: someone carries it on.
        StorageError: the folder cannot be changed.
    """
    with run_lock(folder), storage_errors(folder):
        # all at one moment: what is left, should the rest be cut short, goes at the next start
        doomed = folder.rename(doomed_path(folder))
    # another program that starts just now helps
    with storage_errors(folder.parent), suppress(FileNotFoundError):
        discard(doomed)


def run_in(folder: Path) -> bool:
    """Whether a run was made in ``folder``, by this version or an earlier one."""
    return any(os.path.lexists(folder / name) for name in (DATABASE_FILE, *EARLIER_FILES))


def _put(
    statement: str, header: RunHeader, version: int, batch: BatchInput, change: Connection
) -> None:
    stored = json_text(header.model_dump(mode="json"))
    change.execute(statement, (stored, version, RunState.READY))
    change.execute(
        "CREATE TEMP TABLE before AS SELECT uttid, content_hash, state, lost FROM main.line"
    )
    change.execute("CREATE UNIQUE INDEX temp.before_of ON before (uttid, content_hash)")
    change.execute("DELETE FROM line")
    change.executemany(_INSERT_LINE, (_line_values(*each) for each in enumerate(batch.lines)))
    change.execute(NOTE_LENGTHS)
    change.execute("DROP TABLE temp.before")
    change.execute("DELETE FROM set_aside")
    problems = ((json_text(each.to_dict()),) for each in batch.problems)
    change.executemany("INSERT INTO set_aside (problem) VALUES (?)", problems)


def _line_values(position: int, line: BatchLine) -> dict[str, object]:
    return {
        "position": position,
        "line": json_text(line.to_dict()),
        "uttid": encodable(line.uttid),
        "file_stem": line.file_stem,
        "content_hash": line.content_hash,
    }


def _refuse_empty(batch: BatchInput) -> None:
    if not batch.total:
        raise BatchError("batch.file.empty")


def _refuse_foreign(folder: Path, raw: bytes, batch: BatchInput) -> None:
    """Refuse a folder whose files a run would take for its own, write over or remove."""
    if (folder / MAKING_FILE).exists():
        return  # made by a process that died in the middle
    with storage_errors(folder.parent):
        ours = [folder / name for name in (MANIFEST_FILE, REPORT_FILE)]
        found = [path for path in ours if os.path.lexists(path)]
        found += [*folder.glob(f"{AUDIO_FOLDER}/*"), *corrected_inputs(folder)]
        source = folder / f"input.{batch.format}"
        if os.path.lexists(source) and not (source.is_file() and source.read_bytes() == raw):
            found.append(source)
    if found:
        name = f"{sorted(found)[0].relative_to(folder)}"
        raise BatchError("batch.run.foreign", folder=folder, name=quoted(name))


def _write_input(
    target: Path,
    raw: bytes,
    batch: BatchInput,
    defaults: RunDefaults,
    references: Path | None,
    known: Path | None = None,
) -> None:
    """Write the file and the recordings of an input.

    Args:
        target: the folder for them.
        raw: the input file as it came in.
        batch: its lines as checked.
        defaults: what holds for lines that say nothing else.
        references: the folder of the recordings; those that lines name are copied.
        known: the recordings of the input before; those that are not replaced are taken over.
    """
    recordings = target / REFERENCES_FOLDER
    recordings.mkdir(parents=True, exist_ok=True)
    if references is not None:
        _copy_named(recordings, references, batch, defaults)
    if known is not None:
        _take_over(recordings, known)
    write_whole(target / f"input.{batch.format}", raw)


def _copy_named(into: Path, source: Path, batch: BatchInput, defaults: RunDefaults) -> None:
    named = {reference_name_of(line, defaults) for line in batch.lines} - {None}
    folder = ReferenceFolder(source)
    for name in sorted(each for each in named if each is not None):
        target = into / name
        # a name that leads out of the folder was refused when the lines were checked
        if not target.resolve().is_relative_to(into.resolve()):
            raise BatchError("batch.reference.outside", name=name)
        write_whole(target, folder.read(name))


def _take_over(into: Path, known: Path) -> None:
    for name in ReferenceFolder(known).names():
        target = into / name
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            # both inputs hold the same recording, which may be large
            os.link(known / name, target)
        except OSError:
            _log.info("%s cannot be linked and is copied", known / name)
            write_whole(target, (known / name).read_bytes())
