"""``manifest.jsonl``: one JSON object for every line of the input file, in the file's order."""

from __future__ import annotations

import heapq
import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.run_files import AUDIO_FOLDER
from glmtts_core.batch.states import LineRow, LineState
from glmtts_core.batch_files.lines import LineProblem
from glmtts_core.catalogue import Language
from glmtts_core.escaping import encodable

#: State of a line that was set aside before the run.
SET_ASIDE = "set_aside"


def run_manifest(run: BatchRun, language: Language) -> Iterator[str]:
    """Yield the manifest of a run as it is now; see `manifest`.

    Raises:
        StorageError: the run cannot be read.
    """
    rows = run.lines.rows()
    return manifest(rows, run.lines.problems(), language, run.store.whole_sounds(rows))


def manifest(
    rows: Iterable[LineRow],
    problems: Iterable[LineProblem],
    language: Language,
    files: Collection[str] | None = None,
) -> Iterator[str]:
    """Yield the manifest line by line, each with its line end.

    Args:
        rows: the lines that could be spoken, in the file's order.
        problems: those that were set aside, in the file's order.
        language: of the reasons.
        files: names of the sound files that exist; None if all of them do.
    """
    spoken = ((row.line.number, _of_row(row, language, files)) for row in rows)
    set_aside = ((problem.number, _of_problem(problem, language)) for problem in problems)
    for _, entry in heapq.merge(spoken, set_aside, key=lambda numbered: numbered[0]):
        yield encodable(f"{json.dumps(entry, ensure_ascii=False)}\n")


def _of_row(row: LineRow, language: Language, files: Collection[str] | None) -> dict[str, Any]:
    status, memory = row.status, row.status.memory
    exists = status.state is LineState.DONE and (files is None or row.file_name in files)
    return {
        "uttid": row.line.uttid,
        "line": row.line.number,
        "state": status.state.value,
        "file": f"{AUDIO_FOLDER}/{row.file_name}" if exists else None,
        "sha256": status.sha256 if exists else None,
        "text": row.line.text,
        "voices": list(status.voices),
        "seconds": status.seconds,
        "audio_s": status.audio_s,
        "rtf": None if status.rtf is None else round(status.rtf, 4),
        "memory_before_bytes": None if memory is None else memory.before_bytes,
        "memory_peak_bytes": None if memory is None else memory.peak_bytes,
        "memory_after_bytes": None if memory is None else memory.after_bytes,
        "retries": status.retries,
        "reason": None if status.reason is None else status.reason.text(language),
    }


def _of_problem(problem: LineProblem, language: Language) -> dict[str, Any]:
    return {
        "uttid": problem.uttid,
        "line": problem.number,
        "state": SET_ASIDE,
        "file": None,
        "text": problem.excerpt,
        "voices": [],
        "reason": problem.message.text(language),
    }
