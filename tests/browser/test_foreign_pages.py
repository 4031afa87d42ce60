"""Requests as browsers and programs really send them: from our pages, and from others'."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from glmtts_core.sessions.ids import BROWSER_COOKIE
from tests.browser.app import RunningApp
from tests.browser.conftest import FLAGS, LOCALES, chromium_path

pytestmark = pytest.mark.browser

_PAGE = '<link rel="icon" href="data:,"><p>a page of somebody else</p>'
_ASK = """url => fetch(url, {
  method: "POST", mode: "no-cors", body: "{}", headers: {"Content-Type": "text/plain"}
}).then(() => true)"""

_FRAME = """url => {
  document.body.append(Object.assign(document.createElement("iframe"), {src: url}));
}"""


@pytest.fixture
def foreign_url(tmp_path: Path) -> Iterator[str]:
    """A page of somebody else: another port, and to a browser another site than 127.0.0.1."""
    (tmp_path / "index.html").write_text(_PAGE, encoding="utf-8")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_foreign_page_cannot_clean_up(chromium: Browser, app, foreign_url):
    page = chromium.new_context().new_page()
    page.goto(foreign_url)
    with page.expect_response(f"{app.url}/api/cleanup") as answer:
        page.evaluate(_ASK, f"{app.url}/api/cleanup")
    assert answer.value.status == 403
    page.context.close()


def test_our_own_page_can_clean_up(open_tab, app):
    page = open_tab().page
    answer = page.evaluate(
        """async () => {
          const answer = await fetch("/api/cleanup", {method: "POST"});
          return [answer.status, await answer.json()];
        }"""
    )
    assert answer[0] == 200
    assert answer[1]["level"] == "trim"


# -- names that a foreign page points to this machine --------------------------------------------

REBOUND = "rebound.example"


@pytest.fixture(scope="module")
def rebound(chromium: Browser) -> Iterator[Browser]:
    """A browser to which a foreign name is this machine, as after DNS rebinding."""
    flags = [*FLAGS, f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"]
    started = chromium.browser_type.launch(executable_path=chromium_path(), args=flags)
    yield started
    started.close()


@pytest.fixture
def rebound_page(rebound: Browser) -> Iterator[Page]:
    """A page of that browser."""
    context = rebound.new_context(locale=LOCALES["en"])
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/synthesis",
        "/batch",
        "/healthz",
        "/api/cleanup",
        "/api/batch/some/results.zip?key=0",
        "/_stcore/health",
        "/_stcore/host-config",
        "/static/index.html",
    ],
)
def test_a_foreign_name_for_this_machine_opens_nothing(rebound_page, app, path):
    answer = rebound_page.goto(f"http://{REBOUND}:{app.port}{path}")
    assert answer is not None
    assert answer.status == 403
    assert "GLMTTS_ALLOWED_HOSTS" in answer.text()


def websocket_status(app: RunningApp, host: str, origin: str | None) -> int:
    """Return the status of a handshake with these headers, as a program sends it."""
    with socket.create_connection(("127.0.0.1", app.port)) as connection:
        address = f"ws://{host}/_stcore/stream"
        try:
            with connect(address, sock=connection, origin=origin, proxy=None, open_timeout=20):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:{port}", "http://localhost:9999"),
        ("127.0.0.1:{port}", "http://127.0.0.1:9999"),
        ("127.0.0.1:{port}", "http://0.0.0.0:9999"),
        ("127.0.0.1:{port}", "https://evil.example"),
        ("127.0.0.1:{port}", "null"),
        ("evil.example:{port}", "http://evil.example:{port}"),
        ("evil.example:{port}", None),
        ("evil.example", "http://evil.example"),
        ("127.0.0.1:9999", "http://127.0.0.1:9999"),
        ("0.0.0.0:{port}", "http://0.0.0.0:{port}"),
    ],
)
def test_the_websocket_refuses_foreign_hosts_and_origins(app, host, origin):
    given = origin and origin.format(port=app.port)
    assert websocket_status(app, host.format(port=app.port), given) == 403


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_websocket_opens_for_our_own_pages_and_for_programs(app, name):
    host = f"{name}:{app.port}"
    assert websocket_status(app, host, f"http://{host}") == 101
    assert websocket_status(app, host, None) == 101


def test_a_foreign_page_shows_ours_in_no_frame(chromium, app, foreign_url):
    page = chromium.new_context().new_page()
    page.goto(foreign_url)
    with page.expect_response(f"{app.url}/") as answer:
        page.evaluate(_FRAME, f"{app.url}/")
    assert answer.value.status == 403
    page.context.close()


def browser_cookie(page: Page) -> str:
    """Return the value of the cookie that tells browsers apart."""
    values = {each["name"]: each["value"] for each in page.context.cookies()}
    return values[BROWSER_COOKIE]


def test_a_link_on_a_foreign_page_opens_ours_and_keeps_the_browsers_sessions(
    open_tab, app, foreign_url
):
    ours = open_tab("/synthesis")
    session_id = ours.session_id
    before = browser_cookie(ours.page)
    ours.page.goto(foreign_url)
    ours.page.evaluate("url => { location.href = url }", f"{app.url}/synthesis?s={session_id}")
    ours.wait_for_page()
    assert ours.session_id == session_id
    assert browser_cookie(ours.page) == before
