"""HTTP routes on the app's own port. Further routes of the API are added to `routes` here.

Streamlit's own protections do not cover these routes: who may ask is checked in `_refuse_foreign`.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from glmtts_core import __version__, downloads
from glmtts_core.catalogue import LANGUAGES, Language, text
from glmtts_core.errors import BatchError, BusyError, GLMTTSError, SynthesisCancelled
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.settings import Settings
from glmtts_core.studio import Studio

#: A request body over this is refused unread; the largest that makes sense has 40 bytes.
MAX_BODY_BYTES: Final = 4096
#: What proxies add; a plain one adds nothing, so behind any proxy a token is needed.
_PROXY_HEADERS: Final = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
#: Seconds that a cleanup request waits for the running job's next safe point; a piece of speech
#: takes about five on two cores.
CLEANUP_WAIT_S: Final = 15.0

Endpoint = Callable[[Request], Awaitable[Response]]


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
        _refuse_foreign(request, studio.settings)
        body = _parse(await _read_body(request))
        errand = studio.cleanup(CleanupLevel(body.level), None, force=body.force)
        report = await to_thread.run_sync(errand.wait, cleanup_wait_s)
        if report is None:
            waiting = text("api.cleanup_waits", _language(request))
            return JSONResponse({"status": "waiting", "message": waiting}, 202)
        return JSONResponse(report.to_dict())

    async def result(request: Request) -> Response:
        studio = get_studio()
        run_id, name = request.path_params["run_id"], request.path_params["name"]
        key = request.query_params.get("key", "")
        if not downloads.key_fits(studio, run_id, name, key):
            _refuse_foreign(request, studio.settings)
        wanted = request.query_params.get("lang")
        language = wanted if wanted in LANGUAGES else _language(request)
        return await to_thread.run_sync(downloads.response, studio, run_id, name, language)

    return [
        Route("/healthz", _worded(healthz), methods=["GET"]),
        Route("/api/cleanup", _worded(cleanup), methods=["POST"]),
        Route("/api/batch/{run_id}/{name}", _worded(result), methods=["GET"]),
    ]


def _worded(endpoint: Endpoint) -> Endpoint:
    """Turn our errors into one sentence with the fitting status."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except GLMTTSError as error:
            return JSONResponse({"error": error.text(_language(request))}, _status(error))

    return answer


def _status(error: GLMTTSError) -> int:
    if isinstance(error, ApiError):
        return error.status
    if isinstance(error, SynthesisCancelled):  # the program is closing
        return 503
    if isinstance(error, BatchError):  # no such run, or none that can be read
        return 404
    return 409 if isinstance(error, BusyError) else 500


def _refuse_foreign(request: Request, settings: Settings) -> None:
    """Let in who brings the token; without a token, only programs and pages of this machine.

    A foreign page's request carries its ``Origin`` (or ``Sec-Fetch-Site``). A name that an attacker
    points to 127.0.0.1 makes origin and host agree, so without a token the host must be no foreign
    name either; nor may the request have come through a proxy, whose own address says nothing.
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "none")
    if (origin is not None and _split(origin).netloc != host) or site not in (
        "none",
        "same-origin",
    ):
        raise ApiError(403, "api.foreign_origin", origin=origin or site)
    if settings.api_token is not None:
        wanted = f"Bearer {settings.api_token.get_secret_value()}"
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            raise ApiError(401, "api.token")
        return
    client = request.client.host if request.client else ""
    proxied = any(name in request.headers for name in _PROXY_HEADERS)
    named_locally = _is_own_name(_split(f"//{host}").hostname or "")
    if not _is_loopback(client) or not named_locally or proxied:
        raise ApiError(403, "api.not_local")


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # half a bracket, for one
        return urlsplit("")


def _is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    # an IPv4 client of a socket that serves both comes as ::ffff:127.0.0.1
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def _is_own_name(name: str) -> bool:
    return name == "localhost" or _is_loopback(name)


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
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise ApiError(422, "api.body_field", field=where, reason=first["msg"]) from error
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "api.body_not_json") from error


def _language(request: Request) -> Language:
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"
