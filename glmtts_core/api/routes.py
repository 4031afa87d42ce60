"""HTTP routes on the app's own port. Further routes of the API are added to `routes` here.

Every route is guarded by `_refuse_strangers` unless its name stands in `OPEN_ROUTES`; `access` has
refused foreign hosts and pages before.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Collection
from typing import Final, Literal, Protocol

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from glmtts_core import __version__
from glmtts_core.api import downloads
from glmtts_core.api.access import accepted_language, shown
from glmtts_core.catalogue import LANGUAGES, text
from glmtts_core.errors import BatchError, BusyError, GLMTTSError, SynthesisCancelled
from glmtts_core.host_names import is_loopback_address, is_loopback_name, parse_host
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.sessions.events import AskedBy
from glmtts_core.settings import Settings
from glmtts_core.studio.studio import Studio

#: A request body over this is refused unread; the largest that makes sense has 40 bytes.
MAX_BODY_BYTES: Final = 4096
#: What proxies add; a plain one adds nothing, so behind any proxy a token is needed.
_PROXY_HEADERS: Final = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
#: Seconds that a cleanup request waits for the running job's next safe point; a piece of speech
#: takes about five on two cores.
CLEANUP_WAIT_S: Final = 15.0

#: Names of the routes that everybody may ask who reaches the server.
OPEN_ROUTES: Final = frozenset({"healthz"})
#: Names of those that everybody may ask who has an address that a page has handed out.
SIGNED_ROUTES: Final = frozenset({"result"})


class Endpoint(Protocol):
    """Answers a request; its name is the route's."""

    __name__: str

    def __call__(self, request: Request, /) -> Awaitable[Response]:
        """Return the answer."""
        ...


class CleanupBody(BaseModel):
    """Body of ``POST /api/cleanup``; an empty body means a trim."""

    model_config = ConfigDict(extra="forbid", strict=True)

    level: Literal["trim", "offload", "unload"] = "trim"
    force: bool = False


class ApiError(GLMTTSError):
    """A request that is refused, with its HTTP status."""

    def __init__(self, status: int, key: str, **details: object) -> None:
        super().__init__(key, **details)
        self.status = status


def routes(
    get_studio: Callable[[], Studio], *, cleanup_wait_s: float = CLEANUP_WAIT_S
) -> list[Route]:
    """Return the routes to mount beside the pages.

    Args:
        get_studio: returns the process's studio.
        cleanup_wait_s: seconds that a cleanup may wait before it is answered with 202.
    """

    async def healthz(_: Request) -> JSONResponse:
        state = get_studio().state()
        return JSONResponse(
            {
                "status": "ok",
                "version": __version__,
                "engine": state.engine.value,
                "queued": state.queued,
            }
        )

    async def cleanup(request: Request) -> JSONResponse:
        studio = get_studio()
        body = _parse(await _read_body(request))
        task = studio.cleanup(
            CleanupLevel(body.level), None, force=body.force, asked_by=AskedBy.API
        )
        report = await to_thread.run_sync(task.wait, cleanup_wait_s)
        if report is None:
            waiting = text("api.cleanup_waits", accepted_language(request.headers))
            return JSONResponse({"status": "waiting", "message": waiting}, 202)
        return JSONResponse(report.to_dict())

    async def result(request: Request) -> Response:
        studio = get_studio()
        run_id, name = request.path_params["run_id"], request.path_params["name"]
        wanted = request.query_params.get("lang")
        language = wanted if wanted in LANGUAGES else accepted_language(request.headers)
        return await to_thread.run_sync(downloads.response, studio, run_id, name, language)

    async def nothing(request: Request) -> Response:
        raise ApiError(404, "api.no_such_path", path=shown(request.url.path))

    def route(path: str, endpoint: Endpoint, *methods: str) -> Route:
        return Route(path, _CheckedRoute(endpoint, methods, get_studio), name=endpoint.__name__)

    return [
        route("/healthz", healthz, "GET", "HEAD"),
        route("/api/cleanup", cleanup, "POST"),
        route("/api/batch/{run_id}/{name}", result, "GET", "HEAD"),
        # what is none of ours would be answered with the front page
        route("/api", nothing),
        route("/api/{rest:path}", nothing),
    ]


class _CheckedRoute:
    """The ASGI app of a route: checks asker and method, and tells our errors in one sentence.

    Args:
        endpoint: answers; its name is the route's.
        methods: that it takes; none means any.
        get_studio: returns the process's studio.
    """

    def __init__(
        self, endpoint: Endpoint, methods: Collection[str], get_studio: Callable[[], Studio]
    ) -> None:
        self._endpoint = endpoint
        self._methods = methods
        self._get_studio = get_studio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive, send)
        try:
            answer = await self._answer(request)
        except GLMTTSError as error:
            body = {"error": error.text(accepted_language(request.headers))}
            allow = {"Allow": ", ".join(self._methods)} if _status(error) == 405 else None
            answer = JSONResponse(body, _status(error), allow)
        except ClientDisconnect:
            return  # nobody waits for an answer
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        name = self._endpoint.__name__
        if name not in OPEN_ROUTES:
            studio = self._get_studio()
            if not (name in SIGNED_ROUTES and _is_signed(request, studio)):
                _refuse_strangers(request, studio.settings)
        if self._methods and request.method not in self._methods:
            allowed = ", ".join(self._methods)
            raise ApiError(
                405, "api.method", path=request.url.path, method=request.method, allowed=allowed
            )
        return await self._endpoint(request)


def _status(error: GLMTTSError) -> int:
    if isinstance(error, ApiError):
        return error.status
    if isinstance(error, SynthesisCancelled):  # the program is closing
        return 503
    if isinstance(error, BatchError):  # no such run, or none that can be read
        return 404
    return 409 if isinstance(error, BusyError) else 500


def _is_signed(request: Request, studio: Studio) -> bool:
    run_id, name = request.path_params["run_id"], request.path_params["name"]
    return downloads.key_fits(studio, run_id, name, request.query_params.get("key", ""))


def _refuse_strangers(request: Request, settings: Settings) -> None:
    """Let in who brings the token; without a token, only programs and pages of this machine.

    Foreign pages do not come this far (see `access`). A request may have come through a proxy,
    whose own address says nothing.
    """
    if settings.api_token is not None:
        wanted = f"Bearer {settings.api_token.get_secret_value()}"
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            raise ApiError(401, "api.token")
        return
    client = request.client.host if request.client else ""
    proxied = any(name in request.headers for name in _PROXY_HEADERS)
    named = parse_host(request.headers.get("host", ""))
    local = named is not None and is_loopback_name(named.name)
    if not (local and is_loopback_address(client)) or proxied:
        raise ApiError(403, "api.not_local")


async def _read_body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise ApiError(413, "api.body_too_large", limit=MAX_BODY_BYTES)
    return body


def _parse(body: bytes) -> CleanupBody:
    if not body.strip():
        return CleanupBody()
    try:
        return CleanupBody.model_validate(json.loads(body))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if not where:
            raise ApiError(422, "api.body_no_object") from error
        raise ApiError(422, "api.body_field", field=where, reason=first["msg"]) from error
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "api.body_not_json") from error
