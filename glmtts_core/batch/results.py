"""Writing a run's manifest and report into its folder, beside the sounds."""

from __future__ import annotations

from glmtts_core.batch.manifest import manifest
from glmtts_core.batch.report import report
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.storage_errors import storage_errors
from glmtts_core.batch.store import MANIFEST_FILE, REPORT_FILE
from glmtts_core.catalogue import Language
from glmtts_core.files import write_into


def write_results(run: BatchRun, language: Language) -> None:
    """Write ``manifest.jsonl`` and ``report.html``; each whole, in the place of an older one.

    Args:
        run: whose results.
        language: of the reasons and the report.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    rows = run.rows(limit=run.view(fresh=True).counts.total)
    with storage_errors(run.store.folder):
        told = "".join(manifest(rows, run.problems, language, run.store.whole_sounds(rows)))
        # a folder that was removed is not made anew for them
        write_into(run.store.folder / MANIFEST_FILE, told.encode())
        write_into(run.store.folder / REPORT_FILE, "".join(report(run, language)).encode())
