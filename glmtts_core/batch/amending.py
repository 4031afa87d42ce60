"""Taking in a run's input, the first or a corrected one: all of it holds, or nothing has changed.

The files of a new input are written beside those that hold, into a folder of their own; then the
header that names this folder replaces the one before, which is the one moment of the change.
Corrections that do not hold are swept away.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from glmtts_core.batch.header import HEADER_FILE, RunHeader
from glmtts_core.batch_files.lines import (
    BatchInput,
    BatchLine,
    LineProblem,
    RunDefaults,
    reference_name_of,
)
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.errors import BatchError
from glmtts_core.files import discard, flush_folder, write_whole

LINES_FILE: Final = "lines.jsonl"
PROBLEMS_FILE: Final = "problems.jsonl"
REFERENCES_FOLDER: Final = "references"
_VERSION_PREFIX: Final = "input-"
_VERSION: Final = re.compile(rf"{_VERSION_PREFIX}[0-9]+")
_log = logging.getLogger(__name__)


def input_folder(folder: Path, version: int) -> Path:
    """Return where the files of a version of the input lie: the first in the run's own folder."""
    return folder / f"{_VERSION_PREFIX}{version}" if version else folder


def take_in(
    folder: Path,
    header: RunHeader,
    raw: bytes,
    batch: BatchInput,
    references: Path | None,
    known: Path | None = None,
) -> None:
    """Write an input, and then the header with which it holds.

    Args:
        folder: of the run, which holds no other file of this version.
        header: names the version.
        raw: the input file as it came in.
        batch: its lines as checked.
        references: the folder of the recordings; those that lines name are copied.
        known: the recordings of the input before; those that are not replaced are taken over.

    Raises:
        BatchError: a recording cannot be taken over.
        OSError: the disk is full or cannot be written; then the input before still holds.
    """
    target = input_folder(folder, header.input_version)
    recordings = target / REFERENCES_FOLDER
    recordings.mkdir(parents=True, exist_ok=True)
    if references is not None:
        _copy_named(recordings, references, batch, header.defaults)
    if known is not None:
        _take_over(recordings, known)
    write_whole(target / f"input.{header.input_format}", raw)
    write_whole(target / PROBLEMS_FILE, _json_lines(batch.problems))
    write_whole(target / LINES_FILE, _json_lines(batch.lines))
    flush_folder(folder)
    write_whole(folder / HEADER_FILE, header.model_dump_json(indent=1).encode())


def sweep_inputs(folder: Path, header: RunHeader) -> None:
    """Remove all corrected inputs that do not hold, uncommitted ones included.

    The first input stays: its files may have been in the folder before the run.

    Raises:
        OSError: the folder cannot be changed.
    """
    holds = input_folder(folder, header.input_version)
    for path in corrected_inputs(folder):
        if path != holds:
            discard(path)


def corrected_inputs(folder: Path) -> list[Path]:
    """Return the folders of all corrected inputs, whether they hold or not."""
    found = folder.glob(f"{_VERSION_PREFIX}*")
    return [path for path in found if _VERSION.fullmatch(path.name) and path.is_dir()]


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


def _json_lines(values: Iterable[BatchLine | LineProblem]) -> bytes:
    # half a surrogate pair inside an excerpt could not be encoded otherwise
    return "".join(f"{json.dumps(each.to_dict())}\n" for each in values).encode()
