"""What a user sees of memory: growth, the promise, and what a cleanup really gave back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.app import wait_for
from tests.browser.sounds import GOOD, SHORT
from tests.browser.tab import mib

pytestmark = [pytest.mark.browser, pytest.mark.voice]


def test_a_cleanup_lowers_the_figure_and_touches_no_field(open_tab):
    tab = open_tab("/synthesis")
    voice = tab.choose_voice("jf_nezumi")
    tab.speed_field.press("ArrowRight")
    tab.open_advanced()
    tab.sample_rate("32 kHz").click()
    tab.upload(GOOD)
    expect(tab.page.get_by_text(GOOD.name)).to_be_visible()
    tab.transcript_field.fill("The words of the recording")
    tab.speak(SHORT)
    before_mib = tab.now_mib()

    tab.clean_up()

    expect(tab.report).to_be_visible()
    promised, regained = tab.report.inner_text().split("→")
    assert mib(promised) > 0
    assert mib(regained) > 0
    wait_for(lambda: tab.now_mib() < before_mib, 20, "the resident set falls")
    expect(tab.text_field).to_have_value(SHORT)
    expect(tab.voice_field).to_have_value(voice)
    expect(tab.page.get_by_text("1.05 ×")).to_be_visible()
    expect(tab.sample_rate("32 kHz")).to_be_checked()
    expect(tab.transcript_field).to_have_value("The words of the recording")
    expect(tab.page.get_by_text(GOOD.name)).to_be_visible()
    tab.expect_result(1)


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
