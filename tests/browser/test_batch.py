"""A batch in the browser: run, close the tab, come back, steer, mend, resume, take the results."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.batch_tab import BatchTab, lines_of
from tests.browser.tab import REACT_MS

pytestmark = pytest.mark.browser

#: Resolves when the page has drawn itself anew.
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def test_a_paused_batch_is_resumed_and_goes_on_without_its_tab(open_tab, app):
    first = BatchTab(open_tab("/batch")).give(lines_of(6), ready=6)
    with app.holding("Number 3."):
        first.press("batch.start", count=6).expect_some_spoken(6)
        first.press("batch.pause")
    first.expect_state("paused")
    run_address = first.page.url.partition("/batch")[2]
    with app.holding("Number 5."):
        first.press("batch.resume", count=_waiting(first)).expect_state("running")
        first.page.close()
    BatchTab(open_tab("/batch" + run_address)).expect_state("finished", 6, 6)


def test_a_killed_program_offers_its_run_and_finishes_it(start_app, open_tab):
    app = start_app()
    first = BatchTab(open_tab("/batch", app=app, survives_app=True)).give(lines_of(5), ready=5)
    with app.holding("Number 2."):
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
    # the table takes what was typed over when it draws anew, after the field shows it
    tab.page.evaluate(TWO_FRAMES)
    tab.page.keyboard.press("Enter")
    tab.press("batch.mend_check")
    tab.press("batch.start", count=2).expect_state("finished", 2, 2)

    rows = tab.page.get_by_test_id("stDataFrame").first.bounding_box()
    assert rows is not None
    tab.page.mouse.click(rows["x"] + 16, rows["y"] + 52)
    expect(tab.page.get_by_test_id("stAudio")).to_be_visible()
    assert tab.tab.player_seconds() > 0.3


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_reaches_beyond_the_edge_at_any_width(open_tab, app, language):
    tab = BatchTab(open_tab("/batch", language=language))
    assert tab.tab.overflowing_at(1920, 1280, 768, 400) == {}
    tab.give(lines_of(30), ready=30)
    assert tab.tab.overflowing_at(1920, 1280, 768, 400) == {}
    with app.holding("Number 5."):
        tab.press("batch.start", count=30).expect_state("running")
        assert tab.tab.overflowing_at(1280, 400) == {}
        tab.press("batch.cancel").expect_state("cancelled")


def _waiting(tab: BatchTab) -> int:
    """Return how many lines the resume button offers."""
    label = tab.page.get_by_role("button", name=re.compile("^Resume")).inner_text()
    return int(re.search(r"\d+", label)[0])
