"""A run's results: written into its folder beside the sounds, or sent as a ZIP file.

The ZIP file is made as it is sent, so that its size costs no memory.
"""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from glmtts_core.batch.manifest import manifest, run_manifest
from glmtts_core.batch.report import report
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.run_files import AUDIO_FOLDER, MANIFEST_FILE, REPORT_FILE
from glmtts_core.batch.states import LineState
from glmtts_core.catalogue import Language
from glmtts_core.files import write_parts_into
from glmtts_core.storage_errors import storage_errors

_BLOCK_BYTES: Final = 2**18
_log = logging.getLogger(__name__)


def write_results(run: BatchRun, language: Language) -> None:
    """Write ``manifest.jsonl`` and ``report.html``; each whole, in the place of an older one.

    The run's folder is not made anew where it was removed.

    Args:
        run: whose results.
        language: of the reasons and the report.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    run.view(fresh=True)
    with storage_errors(run.store.folder):
        files = {MANIFEST_FILE: run_manifest(run, language), REPORT_FILE: report(run, language)}
        for name, parts in files.items():
            write_parts_into(run.store.folder / name, (part.encode() for part in parts))


class _Outlet(io.RawIOBase):
    """A write-only stream; `take` returns and clears what was written."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        block = bytes(data)
        self._blocks.append(block)
        return len(block)

    def take(self) -> bytes:
        taken, self._blocks = b"".join(self._blocks), []
        return taken


def zip_stream(run: BatchRun, language: Language) -> Iterator[bytes]:
    """Give the ZIP file block by block: the sounds, the manifest, the report and the input file.

    Everything lies in one folder named after the run. Works while the run goes on, too: then it
    holds what is done so far.

    Args:
        run: whose results.
        language: of manifest and report.

    Raises:
        OSError, StorageError: the run or a sound cannot be read; the file that was sent so far is
            no whole ZIP file.
    """
    outlet = _Outlet()
    run.view(fresh=True)
    rows, missing = run.lines.rows(), run.store.missing_sounds()
    packed: set[str] = set()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:
        for row in rows:
            path = run.store.audio_path(row.line)
            if row.status.state is not LineState.DONE:
                continue
            if row.position in missing:
                # the manifest will say that there is no file
                _log.warning("the sound %s of the run %s is gone", path.name, run.id)
                continue
            packed.add(path.name)
            # sound hardly gets smaller, and packing it would take longer than sending it
            yield from _packed(
                archive, outlet, f"{run.id}/{AUDIO_FOLDER}/{path.name}", _blocks(path), pack=False
            )
        texts = {
            MANIFEST_FILE: manifest(rows, run.lines.problems(), language, packed),
            REPORT_FILE: report(run, language),
        }
        for name, parts in texts.items():
            encoded = (part.encode() for part in parts)
            yield from _packed(archive, outlet, f"{run.id}/{name}", encoded, pack=True)
        source = run.store.input_path
        if source.is_file():
            name = f"{run.id}/{source.name}"
            yield from _packed(archive, outlet, name, _blocks(source), pack=True)
        else:
            _log.warning("the input file of the run %s is gone", run.id)
    yield outlet.take()


def _packed(
    archive: zipfile.ZipFile,
    outlet: _Outlet,
    name: str,
    blocks: Iterable[bytes],
    *,
    pack: bool,
) -> Iterator[bytes]:
    entry = zipfile.ZipInfo(name, datetime.now().timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED if pack else zipfile.ZIP_STORED
    entry.external_attr = 0o644 << 16
    with archive.open(entry, "w") as target:
        for block in blocks:
            target.write(block)
            if out := outlet.take():
                yield out
    yield outlet.take()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block
