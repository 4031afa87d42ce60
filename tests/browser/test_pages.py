"""Addresses, languages, widths and speed of the two pages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TITLES = ("overview.title", "synthesis.title")
#: Small and usual phones, and a tablet, in CSS pixels.
WIDTHS = (320, 400, 768)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_browsers_locale_chooses_the_language(open_tab, language):
    tab = open_tab(language=language)
    expect(tab.title).to_have_text(tab.say("overview.title"))
    expect(tab.page).to_have_title(f"{tab.say('overview.title')} · GLM-TTS Studio")
    tab.go_to("synthesis.title")
    expect(tab.start_button).to_be_visible()


def test_the_switch_changes_the_language_on_both_pages(open_tab):
    tab = open_tab(language="zh")
    tab.switch_language("en")
    expect(tab.title).to_have_text("Overview")
    tab.go_to("synthesis.title")
    expect(tab.start_button).to_have_text(re.compile("Start synthesis"))
    tab.switch_language("zh")
    expect(tab.title).to_have_text("单条合成")
    tab.go_to("overview.title")
    expect(tab.figure("now")).to_be_visible()


def test_the_switch_keeps_what_was_typed_and_chosen(open_tab):
    tab = open_tab("/synthesis", language="zh")
    tab.choose_voice("jm_kumo")
    tab.open_advanced()
    tab.sample_rate("32 kHz").click()
    tab.type_text("先写中文，再换语言")
    tab.switch_language("en")
    expect(tab.title).to_have_text("Synthesis")
    expect(tab.text_field).to_have_value("先写中文，再换语言")
    expect(tab.voice_field).to_have_value(tab.say("kokoro.voice.jm_kumo"))
    expect(tab.sample_rate("32 kHz")).to_be_checked()
    tab.start_button.click()
    tab.expect_result(1)
    tab.switch_language("zh")
    expect(tab.voice_field).to_have_value(tab.say("kokoro.voice.jm_kumo"))


def test_the_synthesis_page_has_an_address_of_its_own(open_tab):
    tab = open_tab("/synthesis")
    expect(tab.title).to_have_text(tab.say("synthesis.title"))
    expect(tab.start_button).to_be_enabled()
    assert re.fullmatch(r"[0-9a-f]{32}", tab.session_id)


def test_a_warm_page_draws_without_a_freeze(open_tab):
    tab = open_tab()
    for title_key in (TITLES[1], *TITLES):
        tab.sidebar.get_by_role("link", name=tab.say(title_key)).click()
        expect(tab.title).to_have_text(tab.say(title_key), timeout=5_000)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_reaches_beyond_a_narrow_screen(open_tab, language):
    tab = open_tab(language=language, width=400)
    expect(tab.page.locator(".glm-cards")).to_be_visible()
    too_wide = tab.overflowing_at(*WIDTHS)
    tab.open("/synthesis")
    tab.open_advanced()
    assert (too_wide, tab.overflowing_at(*WIDTHS)) == ({}, {})


def test_a_result_and_its_history_fit_a_narrow_screen(open_tab):
    tab = open_tab("/synthesis", language="zh", width=400)
    tab.speak("把这句话说得长一些，好让历史记录里的一行放不下它的全部内容。")
    too_wide = tab.overflowing_at(*WIDTHS)
    tab.open(f"/?s={tab.session_id}")
    expect(tab.page.get_by_test_id("stDataFrame")).to_be_visible()
    assert (too_wide, tab.overflowing_at(*WIDTHS)) == ({}, {})
