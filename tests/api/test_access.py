"""What passes the middleware, what it refuses and how, and the cookie that tells browsers apart."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket

from glmtts_core.api.access import AccessMiddleware
from glmtts_core.host_names import HostRules, parse_host_list
from glmtts_core.sessions.ids import BROWSER_COOKIE

OWN = "http://127.0.0.1:7860"
STREAM = "ws://127.0.0.1:7860/stream"
PAGE = {"Accept": "text/html"}
TOKEN = "0" * 64


async def tell_cookies(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.headers.get("cookie", ""))


async def tell_cookies_over_websocket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.headers.get("cookie", ""))
    await websocket.close()


def client_of(extra: str = "", base_url: str = OWN) -> TestClient:
    """Return a client of an app behind the middleware; it keeps no cookies of its own."""
    routes = [
        Route("/", tell_cookies, methods=["GET", "POST"]),
        WebSocketRoute("/stream", tell_cookies_over_websocket),
    ]
    rules = HostRules(extra=parse_host_list(extra))
    app = Starlette(routes=routes, middleware=[Middleware(AccessMiddleware, rules=rules)])
    return TestClient(app, base_url=base_url)


@pytest.fixture
def client() -> TestClient:
    return client_of()


def handshake(client: TestClient, headers: dict[str, str]) -> tuple[int, str]:
    """Return the status of a WebSocket's handshake, and what came over it or why it was refused."""
    try:
        with client.websocket_connect(STREAM, headers=headers) as websocket:
            return 101, websocket.receive_text()
    except WebSocketDenialResponse as refused:
        return refused.status_code, refused.json()["error"]


FOREIGN_HOSTS = ["evil.example:7860", "evil.example", "127.0.0.1:9999", "0.0.0.0:7860", "[", ""]
FOREIGN_ORIGINS = [
    "http://localhost:9999",
    "http://127.0.0.1:9999",
    "http://0.0.0.0:9999",
    "http://0.0.0.0:7860",
    "http://127.0.0.1",
    "https://evil.example",
    "http://127.0.0.1:7860.evil.example",
    "http://127.0.0.1:7860@evil.example",
    "null",
    "",
]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_is_refused_though_the_origin_agrees(client, host):
    headers = {"Host": host, "Origin": f"http://{host}"}
    status, told = handshake(client, headers)
    assert status == 403
    assert "GLMTTS_ALLOWED_HOSTS" in told
    assert OWN in told
    answer = client.get("/", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (403, told)


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_foreign_origin_is_refused(client, origin):
    assert handshake(client, {"Origin": origin})[0] == 403
    assert client.get("/", headers={"Origin": origin}).status_code == 403
    assert client.post("/", headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": OWN},
        {"Host": "localhost:7860", "Origin": "http://localhost:7860"},
        {"Host": "[::1]:7860", "Origin": "http://[::1]:7860"},
        {"Origin": OWN, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_our_own_pages_and_programs_pass(client, headers):
    assert handshake(client, headers)[0] == 101
    assert client.get("/", headers=headers).status_code == 200
    assert client.post("/", headers=headers).status_code == 200


def test_two_hosts_in_one_request_are_none():
    client = client_of()
    both = [("Host", "127.0.0.1:7860"), ("Host", "127.0.0.1:7860")]
    assert client.get("/", headers=both).status_code == 403


def test_a_name_that_the_user_allows_passes_with_its_own_origin_only():
    client = client_of("studio.lan")
    own = {"Host": "studio.lan", "Origin": "https://studio.lan"}
    assert handshake(client, own)[0] == 101
    assert handshake(client, own | {"Origin": "https://evil.example"})[0] == 403


@pytest.mark.parametrize("host", ["studio.lan:7860", "localhost:7860"])
@pytest.mark.parametrize("origin", ["http://studio.lan:9999", "https://studio.lan:1"])
def test_another_program_on_an_allowed_host_is_foreign(host, origin):
    client = client_of("studio.lan", base_url=f"http://{host}")
    assert handshake(client, {"Host": host, "Origin": origin})[0] == 403


def test_an_allowed_name_with_a_port_goes_with_that_port():
    client = client_of("studio.lan:9000")
    assert handshake(client, {"Origin": "https://studio.lan:9000"})[0] == 101
    assert handshake(client, {"Origin": "https://studio.lan"})[0] == 403


def test_a_proxy_that_asks_under_our_address_passes_for_an_allowed_name():
    assert handshake(client_of("studio.lan"), {"Origin": "https://studio.lan"})[0] == 101
    assert handshake(client_of(), {"Origin": "https://studio.lan"})[0] == 403


def test_a_link_on_a_foreign_page_opens_ours_but_nothing_else_does(client):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=link | {"Sec-Fetch-Dest": "document"}).status_code == 200
    assert client.post("/", headers=link | {"Sec-Fetch-Dest": "document"}).status_code == 403
    for embedded in ("iframe", "frame", "embed", "object", "image", "script"):
        assert client.get("/", headers=link | {"Sec-Fetch-Dest": embedded}).status_code == 403
    assert client.get("/", headers={"Sec-Fetch-Site": "same-site"}).status_code == 403


def test_a_refused_reader_gets_one_sentence_as_text_and_never_markup(client):
    headers = PAGE | {"Host": "<b>evil</b>", "Accept-Language": "zh-CN"}
    answer = client.get("/", headers=headers)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "本应用不响应地址" in answer.text
    assert len(client.get("/", headers=PAGE | {"Host": "x" * 5000}).text) < 400


# -- the cookie --------------------------------------------------------------------------------


def token_of(set_cookie: str) -> str:
    """Return the token of a Set-Cookie header, which must be as strict as can be."""
    morsel = SimpleCookie(set_cookie)[BROWSER_COOKIE]
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Strict", "/")
    assert re.fullmatch(r"[0-9a-f]{64}", morsel.value)
    return morsel.value


def test_a_browser_without_a_cookie_gets_one_with_its_first_page(client):
    first, second = client.get("/", headers=PAGE), client_of().get("/", headers=PAGE)
    tokens = {token_of(answer.headers["set-cookie"]) for answer in (first, second)}
    assert len(tokens) == 2
    # the app behind sees the very same, also in this first request
    assert first.text == f"{BROWSER_COOKIE}={token_of(first.headers['set-cookie'])}"


def test_a_websocket_without_a_cookie_gets_one_and_the_page_behind_sees_it(client):
    with client.websocket_connect(STREAM, headers={"cookie": "other=1"}) as websocket:
        set_cookie = dict(websocket.extra_headers)[b"set-cookie"].decode()
        assert websocket.receive_text() == f"other=1; {BROWSER_COOKIE}={token_of(set_cookie)}"


def test_a_browser_keeps_the_cookie_that_it_has(client):
    headers = PAGE | {"Cookie": f"a=b; {BROWSER_COOKIE}={TOKEN}"}
    answer = client.get("/", headers=headers)
    assert "set-cookie" not in answer.headers
    assert answer.text == headers["Cookie"]
    assert handshake(client, {"Cookie": headers["Cookie"]}) == (101, headers["Cookie"])


@pytest.mark.parametrize("value", ["", "x", TOKEN[1:], TOKEN.replace("0", "G"), '"><script>'])
def test_a_cookie_that_is_none_of_ours_is_replaced(client, value):
    status, cookies = handshake(client, {"Cookie": f"{BROWSER_COOKIE}={value}; a=b"})
    assert status == 101
    assert re.fullmatch(rf"{BROWSER_COOKIE}=[0-9a-f]{{64}}; a=b", cookies)


@pytest.mark.parametrize(
    "headers",
    [
        # a strict cookie does not come along with these: it may be there all the same
        {
            "Sec-Fetch-Site": "cross-site",
            "Sec-Fetch-Mode": "navigate",
            "Sec-Fetch-Dest": "document",
        },
        {"Host": "studio.lan"},
        # many of these at a time would each get another
        {"Accept": "text/css"},
    ],
    ids=str,
)
def test_what_does_not_tell_that_there_is_no_cookie_brings_none(headers):
    answer = client_of("studio.lan").get("/", headers=PAGE | headers)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


def test_over_tls_the_cookie_travels_over_tls_only():
    answer = client_of(base_url="https://127.0.0.1:7860").get("/", headers=PAGE)
    assert answer.headers["set-cookie"].endswith("; Secure")
