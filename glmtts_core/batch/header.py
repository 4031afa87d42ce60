"""``run.json``: what a run is, and which version of its input holds.

Replacing this one file commits a new run or a corrected input.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, TypeAdapter

from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch_files.lines import InputFormat, RunDefaults
from glmtts_core.errors import BatchError, StorageError
from glmtts_core.files import open_regular
from glmtts_core.quoting import quoted
from glmtts_core.stored import STRICT, Count, Moment, unreadable, value_from

HEADER_FILE: Final = "run.json"
JOURNAL_FILE: Final = "journal.jsonl"


class RunHeader(BaseModel):
    """What a run is, apart from its lines.

    Attributes:
        name: of the input file.
        created_at: with time zone.
        encoding: of the input file, as shown.
        input_format: how the input file is laid out.
        input_version: 0 for the input that the run began with, one more with each correction.
        lines: how many can be spoken.
        problems: how many are set aside.
        defaults: what holds for lines that say nothing else.
        policy: when it cleans up.
    """

    model_config = STRICT | {"frozen": True}

    name: str
    created_at: Moment
    encoding: str
    input_format: InputFormat
    input_version: Count = 0
    lines: Count
    problems: Count
    defaults: RunDefaults
    policy: CleanupPolicy


_HEADER: Final = TypeAdapter(RunHeader)


def read_header(folder: Path) -> RunHeader:
    """Return what the run in ``folder`` is.

    Raises:
        BatchError: there is no run in it.
        StorageError: it cannot be read, or tells of no line at all.
    """
    path = folder / HEADER_FILE
    try:
        with open_regular(path) as file:
            raw = file.read()
    except (FileNotFoundError, NotADirectoryError) as error:
        if (folder / JOURNAL_FILE).exists():
            raise BatchError("batch.run.headless", folder=folder) from error
        raise BatchError("batch.run.missing", name=quoted(folder.name)) from error
    except OSError as error:
        raise unreadable(path, error) from error
    header = value_from(raw, _HEADER, path)
    if header.lines + header.problems < 1:
        raise StorageError("batch.stored.no_lines", path=path)
    return header
