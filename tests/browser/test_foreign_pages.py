"""Requests to the HTTP routes as browsers really send them, from our pages and from others'."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

_ASK = """url => fetch(url, {
  method: "POST", mode: "no-cors", body: "{}", headers: {"Content-Type": "text/plain"}
}).then(() => true)"""


@pytest.fixture
def foreign_url(tmp_path: Path) -> Iterator[str]:
    """A page of somebody else, on another port."""
    (tmp_path / "index.html").write_text("<p>a page of somebody else</p>", encoding="utf-8")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
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
