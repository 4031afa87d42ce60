"""From text to sound in a real browser."""

from __future__ import annotations

import pytest
import soundfile
from playwright.sync_api import expect

from tests.browser.sounds import MIDDLE, SHORT
from tests.browser.tab import REACT_MS

pytestmark = pytest.mark.browser


def test_the_chart_ticks_while_a_text_is_spoken(open_tab, app):
    tab = open_tab("/synthesis")
    with app.holding():
        tab.start_long_job(MIDDLE)
        seen = None
        for _ in range(4):  # the first is what the chart shows already
            seen = tab.wait_for_chart_tick_during_job(seen)
    tab.expect_result(1)


def test_cancel_answers_and_keeps_the_text(open_tab, app):
    tab = open_tab("/synthesis")
    with app.holding():
        tab.start_long_job(MIDDLE)
        tab.cancel_button.click()
        expect(tab.page.get_by_text(tab.say("job.cancelled"))).to_be_visible(timeout=10_000)
    expect(tab.progress).to_have_count(0)
    expect(tab.text_field).to_have_value(MIDDLE)
    expect(tab.start_button).to_be_enabled()


def test_both_languages_speak_at_32_khz_and_another_speed(open_tab, tmp_path):
    tab = open_tab("/synthesis", language="zh")
    tab.choose_voice("jm_kumo")
    tab.speed_field.press("ArrowRight")
    tab.open_advanced()
    tab.sample_rate("32 kHz").click()
    tab.speak("今天的会议 meeting 改到下午三点。")
    samples, rate_hz = soundfile.read(tab.download(tmp_path / "spoken.wav"))
    assert rate_hz == 32_000
    assert len(samples) > 32_000


def test_an_empty_text_is_refused_in_one_sentence(open_tab):
    tab = open_tab("/synthesis", language="zh")
    tab.type_text("")
    tab.start_button.click()
    tab.expect_one_sentence(tab.say("text.empty"))
    expect(tab.text_field).to_have_value("")
    expect(tab.start_button).to_be_enabled()


def test_an_unspeakable_text_is_refused_and_stays_and_the_next_is_spoken(open_tab):
    tab = open_tab("/synthesis")
    tab.type_text("♪ ♫ ☼ ♪")
    tab.start_button.click()
    tab.expect_one_sentence(tab.say("text.unspeakable"))
    expect(tab.text_field).to_have_value("♪ ♫ ☼ ♪")
    tab.speak(SHORT)
    expect(tab.page.get_by_test_id("stAlert")).to_have_count(0)


@pytest.mark.parametrize("before", ["♪ ♫ ☼ ♪", "今天下雨。"])
def test_a_slow_press_right_after_typing_starts_though_the_page_takes_the_text_meanwhile(
    open_tab, before
):
    tab = open_tab("/synthesis")
    tab.type_text(before)  # the page has something to say of it, which the next text takes away
    tab.text_field.fill(SHORT)
    tab.start_button.hover()
    tab.page.mouse.down()
    tab.wait_until_taken(SHORT)
    tab.page.mouse.up()
    tab.expect_result(1)


def test_a_job_of_another_tab_is_waited_for_in_the_queue(open_tab, app):
    first, second = open_tab("/synthesis"), open_tab("/synthesis")
    with app.holding(MIDDLE):
        first.start_long_job(MIDDLE)
        second.start_button.click()
        queued = second.say("job.queued", place=1)
        expect(second.progress).to_contain_text(queued, timeout=REACT_MS)
        first.cancel_button.click()
        second.expect_result(1)
