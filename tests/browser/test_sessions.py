"""Tabs, reloads and addresses: what belongs to one session stays with it, and nothing is lost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from glmtts_core.sessions.ids import BROWSER_COOKIE
from tests.browser.sounds import GOOD, MIDDLE, SHORT
from tests.browser.tab import SPEAK_MS

pytestmark = pytest.mark.browser


def test_two_tabs_keep_to_themselves(open_tab):
    first, second = open_tab("/synthesis"), open_tab("/synthesis")
    second.type_text("Something else entirely")
    first.speak(SHORT)
    expect(first.text_field).to_have_value(SHORT)
    expect(second.text_field).to_have_value("Something else entirely")
    second.reload()
    expect(second.text_field).to_have_value("Something else entirely")
    expect(second.page.get_by_text(second.say("result.none"))).to_be_visible()
    assert first.session_id != second.session_id


def test_an_address_opened_twice_is_two_sessions(open_tab):
    first = open_tab("/synthesis")
    first.speak(SHORT)
    second = open_tab(f"/synthesis?s={first.session_id}", beside=first)
    expect(second.page.get_by_text(second.say("result.none"))).to_be_visible()
    assert second.session_id != first.session_id
    first.reload()
    first.expect_result(1)


def test_a_reload_keeps_history_text_and_language(open_tab):
    tab = open_tab("/synthesis", language="en")
    tab.switch_language("zh")
    expect(tab.title).to_have_text(tab.say("synthesis.title"))
    tab.speak("请把窗户关上，外面下雨了。")
    tab.type_text("还没有合成的下一句话。")
    tab.reload()
    expect(tab.title).to_have_text(tab.say("synthesis.title"))
    expect(tab.text_field).to_have_value("还没有合成的下一句话。")
    expect(tab.history_count(1)).to_be_visible()
    tab.expect_result(1)
    assert tab.player_seconds() > 1.0


def test_an_address_finds_its_session_again_after_the_tab_was_closed(open_tab):
    first = open_tab("/synthesis")
    first.speak(SHORT)
    address = f"/synthesis?s={first.session_id}"
    first.page.close()
    again = open_tab(address, beside=first)
    assert again.session_id == first.session_id
    again.expect_result(1)
    expect(again.text_field).to_have_value(SHORT)


def test_no_other_browser_gets_a_session_by_its_address_not_even_a_closed_one(open_tab):
    owner = open_tab("/synthesis")
    owner.speak(SHORT)
    address = f"/synthesis?s={owner.session_id}"
    owner.page.close()
    other = open_tab(address)
    assert other.session_id != owner.session_id
    expect(other.page.get_by_text(other.say("result.none"))).to_be_visible()
    # and nothing of it is lost for its owner
    open_tab(address, beside=owner).expect_result(1)


def test_an_address_with_an_id_that_was_never_given_out_opens_a_new_session(open_tab):
    made_up = "0123456789abcdef" * 2
    tab = open_tab(f"/synthesis?s={made_up}")
    expect(tab.page).not_to_have_url(re.compile(made_up))
    assert re.fullmatch(r"[0-9a-f]{32}", tab.session_id)


def test_the_browser_gets_a_cookie_that_no_script_and_no_other_site_can_use(open_tab):
    tab = open_tab("/synthesis")
    (cookie,) = [each for each in tab.page.context.cookies() if each["name"] == BROWSER_COOKIE]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert BROWSER_COOKIE not in tab.page.evaluate("document.cookie")
    tab.reload()
    tab.go_to("batch.title")
    assert cookie["value"] in [each["value"] for each in tab.page.context.cookies()]


def test_a_reload_in_the_middle_finds_the_job_and_then_its_result(open_tab, app):
    tab = open_tab("/synthesis")
    with app.holding():
        tab.start_long_job(MIDDLE)
        tab.reload()
        expect(tab.progress).to_be_visible()
        expect(tab.start_button).to_be_disabled()
    tab.expect_result(1)
    expect(tab.start_button).to_be_enabled(timeout=SPEAK_MS)


def test_a_job_goes_on_while_its_user_looks_at_the_overview(open_tab, app):
    tab = open_tab("/synthesis")
    with app.holding():
        tab.start_long_job(MIDDLE)
        tab.go_to("overview.title")
        speaking = tab.sidebar.get_by_text(tab.say("engine_state.speaking"))
        expect(speaking).to_be_visible()
    expect(tab.sidebar.get_by_text(tab.say("engine_state.idle"))).to_be_visible(timeout=SPEAK_MS)
    tab.go_to("synthesis.title")
    tab.expect_result(1)


def test_text_and_recording_survive_page_changes_and_reloads(open_tab):
    tab = open_tab("/synthesis")
    tab.type_text("Half a thought, not yet")
    tab.upload(GOOD)
    expect(tab.page.get_by_text(GOOD.name)).to_be_visible()
    assert tab.player_seconds() == pytest.approx(2.0, abs=0.05)
    tab.go_to("overview.title")
    tab.go_to("synthesis.title")
    expect(tab.page.get_by_text(GOOD.name)).to_be_visible()
    expect(tab.text_field).to_have_value("Half a thought, not yet")
    tab.reload()
    expect(tab.page.get_by_text(GOOD.name)).to_be_visible()
    expect(tab.text_field).to_have_value("Half a thought, not yet")
    assert tab.player_seconds() == pytest.approx(2.0, abs=0.05)
    tab.page.get_by_role("button", name=tab.say("form.remove_reference")).click()
    expect(tab.page.get_by_text(GOOD.name)).to_have_count(0)
    expect(tab.page.get_by_text(tab.say("form.upload"))).to_be_visible()
