"""The files in which a run of the earlier layout kept its state, read as checked values::

run.json            what the run is, and which version of its input holds
lines.jsonl         its checked lines, and problems.jsonl, those set aside; of a corrected
                    input in its own folder
journal.jsonl       every change of state
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, TypeAdapter, with_config

from glmtts_core.batch.run_database import RunHeader
from glmtts_core.batch.run_files import EARLIER_LINES_FILE, input_folder
from glmtts_core.batch.states import LineMemory, LineState, RunCounts, RunState
from glmtts_core.batch_files.lines import BatchLine, FileStem, LineProblem
from glmtts_core.errors import StorageError
from glmtts_core.files import open_regular
from glmtts_core.quoting import quoted
from glmtts_core.stored import (
    STRICT,
    Count,
    Seconds,
    StoredMessage,
    T,
    read_lines,
    read_stored,
    unreadable,
    value_from,
)

HEADER_FILE: Final = "run.json"
JOURNAL_FILE: Final = "journal.jsonl"
#: What tells that a run of the earlier layout lies in a folder.
EARLIER_FILES: Final = (HEADER_FILE, JOURNAL_FILE)
_PROBLEMS_FILE: Final = "problems.jsonl"
#: The word for "the failed lines wait again", in the place of a run's state.
RETRY_FAILED: Final = "retry_failed"


class EarlierHeader(RunHeader):
    """``run.json``."""

    input_version: Count = 0
    lines: Count
    problems: Count


def _known(word: str) -> str:
    if word not in (*RunState, RETRY_FAILED):
        raise ValueError("no state of a run")
    return word


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class EarlierEntry:
    """One line of the journal: a change of a line, of the run, or a cleanup.

    Attributes:
        at: when (Unix time).
        line: name of the line that changed; up to the voices, all is about it.
        hash: `BatchLine.content_hash` of that line.
        file: `BatchLine.file_stem` of that line; None in the oldest journals.
        run: the run's new state, or `RETRY_FAILED`.
        input: the version of the input that the run's state and counts are about.
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


_HEADER: Final = TypeAdapter(EarlierHeader)
_LINE: Final = TypeAdapter(BatchLine)
_PROBLEM: Final = TypeAdapter(LineProblem)
_ENTRY: Final = TypeAdapter(EarlierEntry)


def read_header(folder: Path) -> EarlierHeader:
    """Return what the run is.

    Raises:
        StorageError: it cannot be read, or tells of no line at all.
    """
    path = folder / HEADER_FILE
    header = value_from(read_stored(path), _HEADER, path)
    if header.lines + header.problems < 1:
        raise StorageError("batch.stored.no_lines", path=path)
    return header


def read_input_lines(
    folder: Path, header: EarlierHeader
) -> tuple[list[BatchLine], list[LineProblem]]:
    """Return the lines of the input that holds, and those set aside.

    Raises:
        StorageError: they cannot be read, are not as many as the header tells, or two are the same.
    """
    source = input_folder(folder, header.input_version)
    lines = _values(source / EARLIER_LINES_FILE, _LINE, header.lines)
    _refuse_twins(lines, source / EARLIER_LINES_FILE)
    return lines, _values(source / _PROBLEMS_FILE, _PROBLEM, header.problems)


def read_journal(folder: Path) -> Iterator[EarlierEntry]:
    """Yield the journal's entries; a torn last one counts as not written.

    Raises:
        StorageError: the journal cannot be read, or a line of it is none of its entries.
    """
    path = folder / JOURNAL_FILE
    try:
        with open_regular(path) as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    yield _entry(line, path, number)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable(path, error) from error


def _entry(line: bytes, path: Path, number: int) -> EarlierEntry:
    entry = value_from(line, _ENTRY, path, number)
    about_line = entry.line is not None
    whole = (entry.hash is not None and entry.state is not None) if about_line else True
    if not whole or (about_line, entry.run is not None, entry.cleanup is not None).count(True) != 1:
        raise StorageError("stored.damaged", place=f"{path}:{number}")
    return entry


def _values(path: Path, kind: TypeAdapter[T], expected: int) -> list[T]:
    found = list(read_lines(path, kind))
    if len(found) != expected:
        raise StorageError("batch.stored.count", path=path, count=len(found), expected=expected)
    return found


def _refuse_twins(lines: list[BatchLine], path: Path) -> None:
    for name in ("uttid", "file_stem"):
        counts = Counter(getattr(line, name) for line in lines)
        if twice := next((each for each, count in counts.items() if count > 1), None):
            raise StorageError("batch.stored.twice", path=path, field=name, value=quoted(twice))
