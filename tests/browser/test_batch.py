"""A batch in the browser: run, close the tab, come back, steer, mend, resume, take the results."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Page, expect

from tests.browser.tab import REACT_MS, SPEAK_MS, Tab

pytestmark = [pytest.mark.browser, pytest.mark.voice]

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


def test_a_batch_goes_on_without_its_tab_and_is_resumed_by_another(open_tab, tmp_path):
    first = BatchTab(open_tab("/batch")).give(lines_of(6), ready=6)
    first.press("batch.start", count=6).expect_some_spoken(6)
    first.press("batch.pause").expect_state("paused")
    run_address = first.page.url.partition("/batch")[2]
    first.press("batch.resume", count=_waiting(first))
    first.expect_state("running")
    first.page.context.close()

    again = BatchTab(open_tab("/batch" + run_address)).expect_state("finished", 6, 6)
    with zipfile.ZipFile(again.download("batch.download.zip", tmp_path / "r.zip")) as archive:
        assert archive.testzip() is None
        sounds = [name for name in archive.namelist() if name.endswith(".wav")]
        (manifest,) = (name for name in archive.namelist() if name.endswith("manifest.jsonl"))
        told = [json.loads(line) for line in archive.read(manifest).splitlines()]
    assert len(sounds) == 6
    assert [each["line"] for each in told] == list(range(1, 8))
    assert [each["state"] for each in told].count("done") == 6


def test_a_killed_program_offers_its_run_and_finishes_it(start_app, open_tab):
    app = start_app()
    first = BatchTab(open_tab("/batch", app=app, survives_app=True)).give(lines_of(5), ready=5)
    first.press("batch.start", count=5).expect_some_spoken(5)
    app.kill()
    first.page.close()

    again = BatchTab(open_tab("/batch", app=start_app(), language="zh"))
    expect(again.page.get_by_text("曾中断")).to_be_visible()
    show = again.page.get_by_role("button", name=again.tab.say("batch.show_run")).first
    show.click(timeout=3 * REACT_MS)
    again.expect_state("interrupted")
    again.page.get_by_role("button", name=re.compile("继续")).click(timeout=3 * REACT_MS)
    again.expect_state("finished", 5, 5)


def test_a_bad_line_is_mended_in_place_and_a_line_is_heard(open_tab):
    tab = BatchTab(open_tab("/batch")).give(lines_of(1), ready=1)
    editor = tab.page.get_by_test_id("stDataFrame").first.bounding_box()
    assert editor is not None
    tab.page.mouse.dblclick(editor["x"] + editor["width"] - 60, editor["y"] + 70)
    # the cell's field opens a moment after the click, and what is typed before is lost
    cell = tab.page.locator(".gdg-input")
    expect(cell).to_be_focused()
    cell.fill(mended := '{"uttid": "mended", "text": "Mended."}')
    expect(cell).to_have_value(mended)
    # the table takes what was typed over a moment after the field shows it
    tab.page.wait_for_timeout(500)
    tab.page.keyboard.press("Enter")
    tab.press("batch.mend_check")
    tab.press("batch.start", count=2).expect_state("finished", 2, 2)

    rows = tab.page.get_by_test_id("stDataFrame").first.bounding_box()
    assert rows is not None
    tab.page.mouse.click(rows["x"] + 16, rows["y"] + 52)
    expect(tab.page.get_by_test_id("stAudio")).to_be_visible()
    assert tab.tab.player_seconds() > 0.3


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_reaches_beyond_the_edge_at_any_width(open_tab, language):
    tab = BatchTab(open_tab("/batch", language=language))
    assert tab.tab.overflowing_at(1920, 1280, 768, 400) == {}
    tab.give(lines_of(30), ready=30)
    assert tab.tab.overflowing_at(1920, 1280, 768, 400) == {}
    tab.press("batch.start", count=30).expect_state("running")
    assert tab.tab.overflowing_at(1280, 400) == {}
    tab.press("batch.cancel").expect_state("cancelled")


def _waiting(tab: BatchTab) -> int:
    """Return how many lines the resume button offers."""
    label = tab.page.get_by_role("button", name=re.compile("^Resume")).inner_text()
    return int(re.search(r"\d+", label)[0])
