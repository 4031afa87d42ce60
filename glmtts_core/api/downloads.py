"""A run's results to download: the addresses that pages hand out, and what is sent for them.

Made as it is sent, so that a thousand sounds cost no memory. Knows nothing about who may ask.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator
from hashlib import sha256
from itertools import chain
from typing import Final, Literal, get_args
from urllib.parse import quote, urlencode

from starlette.responses import Response, StreamingResponse

from glmtts_core.batch.manifest import run_manifest
from glmtts_core.batch.registry import batches_of
from glmtts_core.batch.report import report
from glmtts_core.batch.results import zip_stream
from glmtts_core.batch.run import BatchRun
from glmtts_core.catalogue import Language
from glmtts_core.errors import BatchError
from glmtts_core.quoting import quoted
from glmtts_core.studio.studio import Studio

Result = Literal["results.zip", "manifest.jsonl", "report.html"]
RESULTS: Final[tuple[Result, ...]] = get_args(Result)
_TYPES: Final[dict[Result, str]] = {
    "results.zip": "application/zip",
    "manifest.jsonl": "application/x-ndjson",
    "report.html": "text/html",
}


class _Secret:
    """What this process signs its addresses with."""

    def __init__(self) -> None:
        self.key = secrets.token_bytes(32)

    def close(self) -> None:
        """Nothing to end: the addresses end with the process."""


def address(studio: Studio, run_id: str, result: Result, language: Language) -> str:
    """Return the address under which a page's user may fetch a result, from wherever.

    It holds until the program ends, and for this one result only: a browser that follows a link
    cannot bring a token.
    """
    query = urlencode({"lang": language, "key": _sign(studio, run_id, result)})
    return f"/api/batch/{quote(run_id, safe='')}/{result}?{query}"


def key_fits(studio: Studio, run_id: str, result: str, key: str) -> bool:
    """Whether ``key`` is the one that `address` has given out for this result."""
    return hmac.compare_digest(_sign(studio, run_id, result).encode(), key.encode())


def response(studio: Studio, run_id: str, result: str, language: Language) -> Response:
    """Return the answer that sends a result block by block.

    Raises:
        BatchError: there is no such run or no such result.
        StorageError: the run cannot be read.
    """
    known = next((each for each in RESULTS if each == result), None)
    if known is None:
        raise BatchError("batch.run.missing", name=quoted(f"{run_id}/{result}"))
    run = batches_of(studio).run(run_id)
    name = f"{run.id}.zip" if known == "results.zip" else f"{run.id}-{known}"
    headers = {
        # saved, not opened: what users wrote must not run in the pages' own origin
        "Content-Disposition": _attachment(name),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    blocks = _blocks(run, known, language)
    # a file that cannot be read is refused before the first block is sent
    first = next(blocks, b"")
    return StreamingResponse(chain((first,), blocks), 200, headers, _TYPES[known])


def _attachment(name: str) -> str:
    """Return the header that has a file saved as ``name``, whatever a run's folder is called."""
    plain = "".join(char if char.isascii() and char.isprintable() else "_" for char in name)
    plain = plain.replace('"', "_").replace("\\", "_")
    if plain == name:
        return f'attachment; filename="{name}"'
    encoded = quote(name.encode("utf-8", "surrogateescape"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def _blocks(run: BatchRun, result: Result, language: Language) -> Iterator[bytes]:
    if result == "results.zip":
        yield from zip_stream(run, language)
        return
    run.view(fresh=True)
    parts = report(run, language) if result == "report.html" else run_manifest(run, language)
    for part in parts:
        yield part.encode()


def _sign(studio: Studio, run_id: str, result: str) -> str:
    secret = studio.services.get(_Secret, _Secret)
    return hmac.new(secret.key, f"{run_id}/{result}".encode(), sha256).hexdigest()
