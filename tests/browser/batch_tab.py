"""The batch page in the words of a user."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Page, expect

from tests.browser.tab import REACT_MS, SPEAK_MS, Tab

BROKEN = '{"text": "not closed'


def lines_of(count: int) -> bytes:
    """Return a file of short lines, of which the second is broken."""
    lines = [json.dumps({"uttid": f"line {n}", "text": f"Number {n}."}) for n in range(count)]
    lines.insert(1, BROKEN)
    return "\n".join(lines).encode()


class BatchTab:
    """The batch page in the words of a user."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.page: Page = tab.page

    def give(self, data: bytes, ready: int) -> BatchTab:
        """Upload a file and wait until it is checked."""
        self.page.locator('input[type="file"]').first.set_input_files(
            {"name": "lines.jsonl", "mimeType": "text/plain", "buffer": data},
            # the first page of a browser that a busy machine has just started
            timeout=3 * REACT_MS,
        )
        expect(self.page.get_by_text(self.tab.say("batch.ready", count=ready))).to_be_visible()
        return self

    def press(self, key: str, **details: object) -> BatchTab:
        """Press a button by its key in the catalogue."""
        self.page.get_by_role("button", name=self.tab.say(key, **details), exact=True).click()
        return self

    def expect_state(self, state: str, spoken: int | None = None, lines: int = 0) -> BatchTab:
        """Wait until the run is in a state, with so many lines done where that is told."""
        words = self.tab.say(f"batch.run_state.{state}")
        if spoken is not None:
            words += " · " + self.tab.say("batch.spoken_of", spoken=spoken, lines=lines)
        progress = self.page.get_by_test_id("stProgress")
        expect(progress).to_contain_text(words, timeout=SPEAK_MS)
        return self

    def expect_some_spoken(self, lines: int) -> BatchTab:
        """Wait until at least one line is done."""
        pattern = re.escape(self.tab.say("batch.spoken_of", spoken="N", lines=lines))
        progress = self.page.get_by_test_id("stProgress")
        expect(progress).to_contain_text(
            re.compile(pattern.replace("N", r"[1-9]\d*")), timeout=SPEAK_MS
        )
        return self

    def download(self, key: str, target: Path) -> Path:
        """Fetch what a link to a result leads to, with all that the browser would send."""
        link = self.page.get_by_role("link", name=self.tab.say(key))
        address = urljoin(self.page.url, link.get_attribute("href"))
        answer = self.page.context.request.get(address)
        assert answer.ok
        assert "attachment" in answer.headers["content-disposition"]
        target.write_bytes(answer.body())
        return target
