"""Who may reach the server: every HTTP request and WebSocket passes here, pages included.

A foreign page can make a browser ask this machine, under a name of its own that it points to
127.0.0.1 too. So the host must be ours, and the page that asks must come from it. Each browser gets
a cookie, to which its sessions are bound. Knows nothing about routes and tokens.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, cookie_parser
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from glmtts_core.catalogue import Language
from glmtts_core.errors import AccessError
from glmtts_core.host_names import HostName, HostRules, is_loopback_name, parse_host, parse_origin
from glmtts_core.sessions.ids import BROWSER_COOKIE

_TOKEN: Final = re.compile(r"[0-9a-f]{64}")
_COOKIE_AGE_S: Final = 400 * 86_400  # the longest that browsers keep one (RFC 6265bis, 5.6.1)
_SHOWN_CHARS: Final = 80


class AccessMiddleware:
    """Refuses foreign hosts and pages, and gives every browser its cookie.

    Args:
        app: what is guarded.
        rules: which hosts are ours.
    """

    def __init__(self, app: ASGIApp, rules: HostRules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except AccessError as error:
            await _refuse(error, scope, receive, send)
            return
        if _browser_of(scope) is None and _may_get_cookie(scope):
            send = _with_cookie(scope, send)
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        """Raise `AccessError` unless host and origin are ours."""
        headers = Headers(scope=scope)
        server = HostName(*(scope.get("server") or ("", None)))
        given = ", ".join(headers.getlist("host"))
        host = parse_host(given)
        if host is None or not self._rules.allow(_with_port(host, scope), server):
            raise AccessError("access.host", host=shown(given), own=_address(server))
        origins = headers.getlist("origin")
        if origins:
            origin = parse_origin(", ".join(origins))
            if origin is None or not (origin.is_of(host) or self._rules.allow_page(origin)):
                raise AccessError("access.origin", origin=shown(", ".join(origins)))
        site = headers.get("sec-fetch-site", "none")
        # browsers send no Origin with what a foreign page merely embeds or links to
        if site not in ("none", "same-origin") and not _opens_page(scope, headers):
            raise AccessError("access.origin", origin=shown(site))


def _with_port(host: HostName, scope: Scope) -> HostName:
    default = 443 if scope.get("scheme") in ("https", "wss") else 80
    return HostName(host.name, host.port or default)


def _opens_page(scope: Scope, headers: Headers) -> bool:
    """Whether the user follows a link to us, in a tab and not in a frame of somebody's page."""
    return (
        scope["type"] == "http"
        and scope["method"] in ("GET", "HEAD")
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


async def _refuse(error: AccessError, scope: Scope, receive: Receive, send: Send) -> None:
    headers = Headers(scope=scope)
    sentence = error.text(accepted_language(headers))
    refusal: Response = JSONResponse({"error": sentence}, 403)
    if "text/html" in headers.get("accept", ""):
        refusal = PlainTextResponse(sentence, 403, {"X-Content-Type-Options": "nosniff"})
    if scope["type"] == "http":
        await refusal(scope, receive, send)
        return
    websocket = WebSocket(scope, receive, send)
    if "websocket.http.response" in scope.get("extensions", {}):
        await websocket.send_denial_response(refusal)
    else:
        await websocket.close(1008)  # policy violation (RFC 6455, 7.4.1)


def accepted_language(headers: Headers) -> Language:
    """Return the language in which somebody is answered who asks with these headers."""
    return "zh" if headers.get("accept-language", "").lower().startswith("zh") else "en"


# -- the browser's cookie ------------------------------------------------------------------------


def _browser_of(scope: Scope) -> str | None:
    token = HTTPConnection(scope).cookies.get(BROWSER_COOKIE, "")
    return token if _TOKEN.fullmatch(token) else None


def _may_get_cookie(scope: Scope) -> bool:
    """Whether a request without our cookie shows that the browser has none.

    A strict cookie does not come along when a link on a foreign page leads here: a new one would
    take the place of the one that the browser has. Our own page's WebSocket always brings it.
    """
    if scope["type"] == "websocket":
        return True
    headers = Headers(scope=scope)
    if scope["method"] != "GET" or "text/html" not in headers.get("accept", "text/html"):
        return False
    site = headers.get("sec-fetch-site")
    if site is None:
        # only to this machine does every browser tell the site, so that here it is no browser
        host = parse_host(headers.get("host", ""))
        return host is not None and is_loopback_name(host.name)
    return site in ("none", "same-origin")


def _with_cookie(scope: Scope, send: Send) -> Send:
    """Give the browser a token with the answer; the app below sees it in this request already."""
    token = secrets.token_hex(32)
    scope["headers"] = _headers_with(scope["headers"], token)
    secure = "; Secure" if scope.get("scheme") in ("https", "wss") else ""
    cookie = f"{BROWSER_COOKIE}={token}; Path=/; Max-Age={_COOKIE_AGE_S}; HttpOnly; SameSite=Strict"

    async def send_with_cookie(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept"):
            MutableHeaders(scope=message).append("set-cookie", cookie + secure)
        await send(message)

    return send_with_cookie


def _headers_with(headers: Iterable[tuple[bytes, bytes]], token: str) -> list[Any]:
    kept = [(name, value) for name, value in headers if name != b"cookie"]
    others = [value.decode("latin-1") for name, value in headers if name == b"cookie"]
    cookies = cookie_parser("; ".join(others)) | {BROWSER_COOKIE: token}
    line = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return [*kept, (b"cookie", line.encode("latin-1"))]


# -- wording -------------------------------------------------------------------------------------


def shown(given: str) -> str:
    """Return what a request said, short and on one line, for a sentence about it."""
    printable = "".join(char if char.isprintable() else "?" for char in given)
    return printable[:_SHOWN_CHARS] or "–"


def _address(server: HostName) -> str:
    name = f"[{server.name}]" if ":" in server.name else server.name
    return f"http://{name}:{server.port}"
