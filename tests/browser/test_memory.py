"""What a user sees of memory: its chart, its legend, and what goes with a tab or the weights."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.app import wait_for
from tests.browser.sounds import SHORT

pytestmark = pytest.mark.browser


def test_the_chart_marks_syntheses_and_cleanups(open_tab):
    tab = open_tab("/synthesis")
    tab.speak(SHORT)
    tab.clean_up()
    expect(tab.report).to_be_visible()

    def marks() -> str:
        return " ".join(map(str, tab.chart_traces()[-1]["text"]))

    wait_for(lambda: tab.say("event.cleanup") in marks(), 20, "the cleanup is marked")
    assert tab.say("event.synthesis_start") in marks()


def test_a_closed_tab_gives_its_caches_back(open_tab):
    watcher = open_tab()
    expect(watcher.legend("caches")).to_have_count(0)
    speaker = open_tab("/synthesis")
    speaker.speak(SHORT)
    expect(watcher.legend("caches")).to_be_visible()
    speaker.page.close()
    expect(watcher.legend("caches")).to_have_count(0)


def test_unloading_drops_the_weights_and_the_next_synthesis_loads_them(open_tab):
    tab = open_tab("/synthesis")
    tab.speak(SHORT)
    expect(tab.legend("weights")).to_be_visible()
    tab.sidebar.get_by_role("button", name=tab.say("cleanup.level.unload")).click()
    expect(tab.legend("weights")).to_have_count(0)
    expect(tab.sidebar.get_by_text(tab.say("engine_state.not_loaded"))).to_be_visible()
    tab.start_button.click()
    tab.expect_result(2)
    expect(tab.legend("weights")).to_be_visible()
