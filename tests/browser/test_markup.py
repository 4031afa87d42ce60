"""What uploads and lines are called is read on the pages, and never followed by the browser."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.sounds import GOOD, RENAMED_TEXT
from tests.browser.tab import REACT_MS, ReferenceFile

pytestmark = pytest.mark.browser


@contextmanager
def listening() -> Iterator[tuple[int, list[str]]]:
    """Give the port of a server and the list of what it was asked for."""
    asked: list[str] = []

    class Notes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Notes)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def elsewhere() -> Iterator[tuple[int, list[str]]]:
    with listening() as port_and_requests:
        yield port_and_requests


def hostile_names(port: int) -> list[str]:
    """Return names that would be fetched, linked, coloured, or made pictures and formulas."""
    address = f"http://127.0.0.1:{port}/x.png"
    return [
        f"![x]({address})",
        f"<img src={address} onerror=alert(1)>",
        f"[a](javascript:alert(1)) {address}",
        ":red[x] :material/mic: :smile: $x^2$",
        "www.example.com me@example.com",
        "**b** `c` ~~d~~ a|b -> c",
    ]


def expect_literally(page: Page, place: Locator, words: str) -> None:
    """Wait until ``words`` are read in ``place``, with nothing in them but text."""
    expect(place).to_contain_text(words, timeout=3 * REACT_MS)
    within = place.locator("a, img, code, del, .katex, .stMarkdownColoredText")
    expect(within).to_have_count(0)
    assert "\\" not in place.inner_text()


def test_what_uploaded_sounds_are_called_is_read_literally(open_tab, elsewhere):
    port, asked = elsewhere
    tab = open_tab("/synthesis")
    alert = tab.page.get_by_test_id("stMain").get_by_test_id("stAlert")
    for name in hostile_names(port):
        tab.upload(ReferenceFile(f"{name}.wav", RENAMED_TEXT.data))
        expect_literally(tab.page, alert, f"{name}.wav")
    name = f"{hostile_names(port)[0]}.wav"
    tab.upload(ReferenceFile(name, GOOD.data))
    expect(alert).to_have_count(0)
    expect(tab.page.get_by_text(name)).to_be_visible()
    assert asked == []


def test_what_a_batch_and_its_lines_are_called_is_read_literally(open_tab, elsewhere):
    port, asked = elsewhere
    names = hostile_names(port)
    lines = [json.dumps({"uttid": name, "text": f"so {name}"}) for name in names for _ in range(2)]
    lines.append(f'{{"text": "{names[0]}')
    tab = open_tab("/batch")
    main = tab.page.get_by_test_id("stMain")
    uploader = tab.page.locator('input[type="file"]').first
    data = "\n".join(lines).encode()
    uploader.set_input_files(
        {"name": f"{names[0]}.jsonl", "mimeType": "text/plain", "buffer": data}
    )
    expect(main.get_by_text(f"{names[0]}.jsonl")).to_be_visible(timeout=3 * REACT_MS)
    aside = tab.say("batch.set_aside", count=len(names) + 1)
    expect(main.get_by_text(aside)).to_be_visible()
    expect(main.locator(f'img[src*="{port}"], a[href*="{port}"]')).to_have_count(0)
    assert asked == []


def test_an_address_that_names_a_run_is_read_literally(open_tab, elsewhere):
    port, asked = elsewhere
    tab = open_tab(f"/batch?run=![x](http://127.0.0.1:{port}/x.png)")
    alert = tab.page.get_by_test_id("stMain").get_by_test_id("stAlert")
    expect_literally(tab.page, alert, f"![x](http://127.0.0.1:{port}/x.png)")
    assert asked == []
