"""A site with the interface of Hugging Face on this machine, for the real library to fetch from."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.waiting import BOUND_S, wait_until

_COMMIT = "a" * 40


class StandInHub:
    """Serves one folder as every repository.

    Attributes:
        cut_first: names of files whose first transfer breaks off in the middle.
        transfers: (name, first byte) of each transfer that was begun.
    """

    def __init__(self, folder: Path) -> None:
        self.cut_first: set[str] = set()
        self.transfers: list[tuple[str, int]] = []
        self._folder = folder
        self.app = Starlette(
            routes=[
                Route("/api/models/{owner}/{name}/revision/{revision}", self._revision),
                Route("/api/models/{owner}/{name}/tree/{revision}", self._tree),
                Route("/{owner}/{name}/resolve/{revision}/{path:path}", self._file),
            ]
        )

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve; yields the address."""
        server = uvicorn.Server(uvicorn.Config(self.app, port=0, log_level="critical"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            wait_until(lambda: server.started)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(BOUND_S)

    def _files(self) -> list[tuple[str, bytes]]:
        files = sorted(file for file in self._folder.rglob("*") if file.is_file())
        return [(file.relative_to(self._folder).as_posix(), file.read_bytes()) for file in files]

    async def _revision(self, request: Request) -> Response:
        names = [{"rfilename": name} for name, _ in self._files()]
        return JSONResponse({"id": "owner/name", "sha": _COMMIT, "siblings": names})

    async def _tree(self, request: Request) -> Response:
        return JSONResponse(
            [
                {"type": "file", "path": name, "size": len(data), "oid": _digest(data)}
                for name, data in self._files()
            ]
        )

    async def _file(self, request: Request) -> Response:
        name = request.path_params["path"]
        data = (self._folder / name).read_bytes()
        headers = {"X-Repo-Commit": _COMMIT, "ETag": f'"{_digest(data)}"', "Accept-Ranges": "bytes"}
        if request.method == "HEAD":
            return Response(headers={**headers, "Content-Length": str(len(data))})
        first = int(request.headers.get("range", "bytes=0-").split("=")[1].split("-")[0])
        self.transfers.append((name, first))
        headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        headers["Content-Length"] = str(len(data) - first)
        rest = data[first:]
        if name in self.cut_first:
            self.cut_first.remove(name)
            rest = rest[: len(rest) // 2]
        return StreamingResponse(_in_blocks(rest), 206 if first else 200, headers)


async def _in_blocks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 2**16):
        yield data[start : start + 2**16]


def _digest(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
