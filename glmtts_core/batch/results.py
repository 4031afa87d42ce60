"""Writing a run's manifest and report into its folder, beside the sounds."""

from __future__ import annotations

from glmtts_core.batch.manifest import manifest
from glmtts_core.batch.report import report
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.storage_errors import storage_errors
from glmtts_core.batch.store import MANIFEST_FILE, REPORT_FILE
from glmtts_core.catalogue import Language
from glmtts_core.files import write_parts_into


def write_results(run: BatchRun, language: Language) -> None:
    """Write ``manifest.jsonl`` and ``report.html``; each whole, in the place of an older one.

    The run's folder is not made anew where it was removed.

    Args:
        run: whose results.
        language: of the reasons and the report.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    rows = run.rows(limit=run.view(fresh=True).counts.total)
    with storage_errors(run.store.folder):
        entries = manifest(rows, run.problems, language, run.store.whole_sounds(rows))
        files = {MANIFEST_FILE: entries, REPORT_FILE: report(run, language)}
        for name, parts in files.items():
            write_parts_into(run.store.folder / name, (part.encode() for part in parts))
