"""The entries of a run's journal as checked values, and the entry for the state of a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, TypeAdapter, with_config

from glmtts_core.batch.journal import journal_lines, last_journal_line
from glmtts_core.batch.states import LineMemory, LineState, LineStatus, RunCounts, RunState
from glmtts_core.batch_files.lines import BatchLine, FileStem
from glmtts_core.errors import StorageError
from glmtts_core.stored import STRICT, Count, Seconds, StoredMessage, unreadable, value_from

#: The word for "the failed lines wait again", in the place of a run's state.
RETRY_FAILED: Final = "retry_failed"
_STATE_WORDS: Final = frozenset({*RunState, RETRY_FAILED})


def _known(word: str) -> str:
    if word not in _STATE_WORDS:
        raise ValueError("no state of a run")
    return word


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One change of state: of a line, of the run, or a cleanup.

    Attributes:
        at: when (Unix time).
        line: name of the line that changed.
        hash: `BatchLine.content_hash` of that line.
        file: `BatchLine.file_stem` of that line; None in the journals of older versions.
        state: of that line, as the rest up to the voices: see `LineStatus`.
        run: the run's new state, or `RETRY_FAILED`.
        input: the version of the input that the run's state and counts are about.
        counts: of the run's lines.
        cleanup: bytes that a cleanup gave back.
    """

    at: Seconds
    line: str | None = None
    hash: str | None = None
    file: FileStem | None = None
    state: LineState | None = None
    seconds: Seconds | None = None
    audio_s: Seconds | None = None
    retries: Count | None = None
    memory: LineMemory | None = None
    reason: StoredMessage | None = None
    voices: tuple[str, ...] | None = None
    run: Annotated[str, AfterValidator(_known)] | None = None
    input: Count = 0
    counts: RunCounts | None = None
    cleanup: Count | None = None


_ENTRY: Final = TypeAdapter(JournalEntry)


def read_entries(path: Path) -> Iterator[JournalEntry]:
    """Give the entries of a journal in the order in which they were written.

    A missing file has no entries.

    Raises:
        StorageError: the journal cannot be read, or a line of it is none of this version's entries.
    """
    try:
        for number, line in journal_lines(path):
            yield _entry(line, path, number)
    except OSError as error:
        raise unreadable(path, error) from error


def last_entry(path: Path) -> JournalEntry | None:
    """Return the last entry, without reading the journal from its start; None where there is none.

    Raises:
        StorageError: as `read_entries`.
    """
    try:
        line = last_journal_line(path)
    except OSError as error:
        raise unreadable(path, error) from error
    return None if line is None else _entry(line, path, None)


def status_of(entry: JournalEntry, before: LineStatus) -> LineStatus:
    """Return how a line stands after an entry about it."""
    state = LineState.QUEUED if entry.state is None else entry.state
    return LineStatus(
        state=state,
        seconds=entry.seconds,
        audio_s=entry.audio_s,
        memory=before.memory if entry.memory is None else entry.memory,
        retries=before.retries if entry.retries is None else entry.retries,
        crashes=before.crashes,
        reason=entry.reason,
        ended_s=entry.at if state in (LineState.DONE, LineState.FAILED) else None,
        voices=entry.voices or (),
    )


def entry_of(line: BatchLine, status: LineStatus) -> dict[str, Any]:
    """Return the entry that says how ``line`` stands; what says nothing is left out."""
    values: dict[str, Any] = {
        "line": line.uttid,
        "hash": line.content_hash,
        "file": line.file_stem,
        "state": status.state.value,
        "seconds": status.seconds,
        "audio_s": status.audio_s,
        "retries": status.retries or None,
        "memory": None if status.memory is None else memory_dict(status.memory),
        "reason": None if status.reason is None else asdict(status.reason),
        "voices": list(status.voices) or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def memory_dict(memory: LineMemory) -> dict[str, Any]:
    """Return plain JSON values."""
    return {
        "line": memory.line,
        "before_bytes": memory.before_bytes,
        "peak_bytes": memory.peak_bytes,
        "after_bytes": memory.after_bytes,
    }


def _entry(line: bytes, path: Path, number: int | None) -> JournalEntry:
    entry = value_from(line, _ENTRY, path, number)
    about_line = entry.line is not None
    whole = (entry.hash is not None and entry.state is not None) if about_line else True
    if not whole or (about_line, entry.run is not None, entry.cleanup is not None).count(True) != 1:
        place = f"{path}" if number is None else f"{path}:{number}"
        raise StorageError("stored.damaged", place=place)
    return entry
