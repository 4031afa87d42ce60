"""Asking the routes whether they answer and refuse foreign pages: a running app's, or their own."""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import MutableMapping
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware

from glmtts_core.api import routes
from glmtts_core.api.access import AccessMiddleware
from glmtts_core.diagnostics.self_check_results import CheckResult, Light, SelfCheckItem
from glmtts_core.host_names import HostRules
from glmtts_core.message import Message
from glmtts_core.settings import Settings
from glmtts_core.studio.studio import Studio

_HTTP_TIMEOUT_S: Final = 5.0
_HEALTH: Final = "/healthz"
_CLEANUP: Final = "/api/cleanup"


def ask_app(url: str, settings: Settings) -> CheckResult | None:
    """Ask a running app whether it is well and refuses foreign pages; None where none answers."""
    headers = {}
    if settings.api_token is not None:
        headers["Authorization"] = f"Bearer {settings.api_token.get_secret_value()}"
    foreign = headers | {"Origin": "https://foreign.example"}
    try:
        status, body = _get(url.rstrip("/") + _HEALTH, headers)
        refused, _ = _get(url.rstrip("/") + _CLEANUP, foreign, b"")
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return _judged((status, refused), _is_ok(body), "self_check.routes_app", url=url)


def ask_routes(studio: Studio) -> CheckResult:
    """Ask the routes themselves, without a server: health, a cleanup, and a foreign page's cleanup.

    Must not be called from an event loop.
    """
    guard = Middleware(AccessMiddleware, rules=HostRules(extra=studio.settings.allowed_hosts))
    app = Starlette(routes=list(routes.routes(lambda: studio)), middleware=[guard])
    token = studio.settings.api_token
    headers = {"host": "localhost"}
    if token is not None:
        headers["authorization"] = f"Bearer {token.get_secret_value()}"
    foreign = headers | {"origin": "https://foreign.example"}
    health, body = asyncio.run(_ask(app, "GET", _HEALTH, headers))
    cleanup, _ = asyncio.run(_ask(app, "POST", _CLEANUP, headers))
    refused, _ = asyncio.run(_ask(app, "POST", _CLEANUP, foreign))
    healthy = _is_ok(body) and cleanup in (200, 202)
    return _judged((health, refused), healthy, "self_check.routes_ok", url="")


def _judged(statuses: tuple[int, int], healthy: bool, key: str, *, url: str) -> CheckResult:
    health, refused = statuses
    if health != 200 or not healthy:
        details = {"route": _HEALTH, "status": health}
        return CheckResult(
            SelfCheckItem.ROUTES, Light.RED, Message("self_check.routes_failed", details)
        )
    if refused != 403:
        return CheckResult(
            SelfCheckItem.ROUTES, Light.RED, Message("self_check.routes_open", {"status": refused})
        )
    return CheckResult(SelfCheckItem.ROUTES, Light.GREEN, Message(key, {"url": url}))


def _is_ok(body: bytes) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("status") == "ok"


def _get(url: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, bytes]:
    """Send one request to this machine, past any proxy; a POST where there is a body."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    # the user's own command line names the address, so any scheme it asks for is its own wish
    request = urllib.request.Request(url, body, headers)
    try:
        with opener.open(request, timeout=_HTTP_TIMEOUT_S) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


async def _ask(
    app: Starlette, method: str, path: str, headers: dict[str, str]
) -> tuple[int, bytes]:
    """Call an ASGI app once, as a program on this machine would; return status and body."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
    }
    status, body = 0, b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, body
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            body += message.get("body", b"")

    await app(scope, receive, send)
    return status, body
