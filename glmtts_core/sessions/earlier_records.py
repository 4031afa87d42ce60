"""Results as earlier versions kept them: a JSON record each, and a file with the last number.

A record goes with its result; the number is still noted where the database does not take it.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from glmtts_core.files import write_whole
from glmtts_core.sessions.result_record import ResultRecord

_NUMBER: Final = re.compile(r"[0-9]{1,8}")
_LAST_NUMBER_FILE: Final = "last_number"
_log = logging.getLogger(__name__)


def earlier_records(
    folder: Path, known: Collection[int]
) -> tuple[dict[int, ResultRecord], tuple[str, ...]]:
    """Return the records of a session's folder by number, and the names of unreadable ones.

    Args:
        folder: the session's.
        known: numbers whose records are left out.
    """
    found: dict[int, ResultRecord] = {}
    unreadable = []
    for path in sorted(folder.glob("[0-9]*.json")):
        if number_of(path) in known:
            continue
        try:
            record = _record(path)
        except (OSError, ValueError) as error:
            _log.warning("cannot read the record %s: %s", path, error)
            unreadable.append(path.name)
        else:
            found[record.number] = record
    return found, tuple(unreadable)


def _record(path: Path) -> ResultRecord:
    record = ResultRecord.model_validate_json(path.read_bytes())
    if record_path(path.parent, record.number) != path:
        raise ValueError(f"it calls itself number {record.number}")
    return record


def noted_number(folder: Path) -> int:
    """Return the highest number that `note_number` or an earlier version has noted; 0 for none."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        kept = (folder / _LAST_NUMBER_FILE).read_text(encoding="ascii")
        return int(kept) if _NUMBER.fullmatch(kept) else 0
    return 0


def note_number(folder: Path, number: int) -> None:
    """Note the highest number that was given beside the database.

    Raises:
        OSError: the disk is full or cannot be written.
    """
    write_whole(folder / _LAST_NUMBER_FILE, str(number).encode())


def record_path(folder: Path, number: int) -> Path:
    """Return where an earlier version kept a record."""
    return folder / f"{number:06d}.json"


def number_of(path: Path) -> int | None:
    """Return the number that a sound or a record is called by; None for other files."""
    return int(path.stem) if _NUMBER.fullmatch(path.stem) else None
