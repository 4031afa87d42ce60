"""Writing a run's manifest and report into its folder, beside the sounds."""

from __future__ import annotations

from glmtts_core.batch.manifest import manifest
from glmtts_core.batch.report import report
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.store import storage_errors
from glmtts_core.catalogue import Language
from glmtts_core.files import write_whole


def write_results(run: BatchRun, language: Language) -> None:
    """Write ``manifest.jsonl`` and ``report.html``; each whole, in the place of an older one.

    Args:
        run: whose results.
        language: of the reasons and the report.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    rows = run.rows(limit=run.view().counts.total)
    there = run.store.audio_names()
    with storage_errors(run.store.folder):
        told = "".join(manifest(rows, run.problems, language, there))
        write_whole(run.store.folder / "manifest.jsonl", told.encode())
        write_whole(run.store.folder / "report.html", "".join(report(run, language)).encode())
