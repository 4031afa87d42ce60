"""From text to sound in a real browser, with the built-in voice."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from tests.browser.sounds import LONG, SHORT
from tests.browser.tab import REACT_MS, SPEAK_MS

pytestmark = [pytest.mark.browser, pytest.mark.voice]


def test_the_first_sound_is_two_clicks_away(open_tab, tmp_path):
    tab = open_tab()
    tab.page.get_by_test_id("stMain").get_by_role("link", name=tab.say("overview.go")).click()
    tab.start_button.click()
    tab.expect_result(1)
    assert tab.player_seconds() > 1.0

    samples, rate_hz = soundfile.read(tab.download(tmp_path / "spoken.wav"))
    assert rate_hz == 24_000
    assert len(samples) / rate_hz == pytest.approx(tab.player_seconds(), abs=0.1)
    assert np.sqrt(np.mean(samples**2)) > 0.005


def test_the_chart_ticks_while_a_long_text_is_spoken(open_tab):
    tab = open_tab("/synthesis")
    tab.start_long_job(LONG)
    seen = None
    for _ in range(4):  # the first is what the chart shows already
        seen = tab.wait_for_chart_tick_during_job(seen)
    tab.cancel_button.click()
    expect(tab.progress).to_have_count(0)


def test_cancel_answers_and_keeps_the_text(open_tab):
    tab = open_tab("/synthesis")
    tab.start_long_job(LONG)
    tab.cancel_button.click()
    expect(tab.page.get_by_text(tab.say("job.cancelled"))).to_be_visible(timeout=10_000)
    expect(tab.progress).to_have_count(0)
    expect(tab.text_field).to_have_value(LONG)
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


def test_a_job_of_another_tab_is_waited_for_in_the_queue(open_tab):
    first, second = open_tab("/synthesis"), open_tab("/synthesis")
    first.start_long_job(LONG)
    second.start_button.click()
    expect(second.progress).to_contain_text(second.say("job.queued", place=1), timeout=REACT_MS)
    first.cancel_button.click()
    second.page.get_by_test_id("stAudio").last.wait_for(timeout=SPEAK_MS)
    second.expect_result(1)
