"""GLM-TTS in the pages: a tiny random checkpoint in the official layout, used as a user would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.app import RunningApp
from tests.browser.sounds import CLONABLE, SHORT
from tests.browser.tab import Tab
from tests.engines.glmtts.official_layout import write_checkpoint

pytestmark = pytest.mark.browser

#: Random weights speak for as long as they may: twenty tokens for each of the text.
WORDS = "你好"


@pytest.fixture(scope="module")
def glmtts_app(
    chromium: Browser, model_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    checkpoint = tmp_path_factory.mktemp("checkpoint") / "ckpt"
    write_checkpoint(checkpoint)
    running = RunningApp(
        tmp_path_factory.mktemp("glmtts-app"),
        model_cache,
        settings={"GLMTTS_CKPT": str(checkpoint)},
    )
    yield running
    running.close()


def engine(tab: Tab, name: str):
    return tab.page.get_by_role("radio", name=name, exact=True)


def give_reference(tab: Tab) -> None:
    tab.upload(CLONABLE)
    expect(tab.page.get_by_text(CLONABLE.name)).to_be_visible()
    # the browser shows the name before the page has the recording, which alone can be removed
    removal = tab.page.get_by_role("button", name=tab.say("form.remove_reference"), exact=True)
    expect(removal).to_be_visible()
    tab.transcript_field.fill("hello")
    tab.transcript_field.press("Tab")


def test_a_recording_is_cloned_at_both_rates_and_the_notice_is_read_once(open_tab, glmtts_app):
    tab = open_tab("/synthesis", app=glmtts_app)
    expect(engine(tab, "GLM-TTS")).to_be_checked()
    tab.page.get_by_role("button", name=tab.say("form.notice_read")).click()
    expect(tab.page.get_by_role("button", name=tab.say("form.notice_read"))).to_have_count(0)
    give_reference(tab)
    tab.speak(WORDS)
    expect(tab.page.get_by_text("· 24 kHz")).to_be_visible()
    expect(tab.legend("language_model")).to_be_visible()
    tab.open_advanced()
    tab.page.get_by_text("32 kHz", exact=True).click()
    tab.speak(WORDS, number=2)
    assert tab.player_seconds() > 0.1
    tab.clean_up()
    expect(tab.report).to_be_visible()
    tab.speak(WORDS, number=3)


def test_the_same_seed_gives_the_same_audio(open_tab, glmtts_app, tmp_path):
    tab = open_tab("/synthesis", app=glmtts_app)
    give_reference(tab)
    tab.open_advanced()
    tab.page.get_by_role("button", name=tab.say("speech.seed.throw")).click()
    expect(tab.page.get_by_label(tab.say("speech.seed"), exact=True)).to_have_value(
        re.compile(r"\d")
    )
    tab.speak(WORDS)
    first = tab.download(tmp_path / "first.wav").read_bytes()
    tab.speak(WORDS, number=2)
    assert tab.download(tmp_path / "second.wav").read_bytes() == first


def test_without_a_recording_one_sentence_says_what_is_missing(open_tab, glmtts_app):
    tab = open_tab("/synthesis", app=glmtts_app)
    tab.start_button.click()
    tab.expect_one_sentence(tab.say("request.reference_missing", engine="GLM-TTS"))


@pytest.mark.voice
def test_the_built_in_voice_is_one_click_away(open_tab, glmtts_app):
    tab = open_tab("/synthesis", app=glmtts_app)
    tab.page.get_by_text("Kokoro-82M", exact=True).first.click()
    expect(tab.voice_field).to_be_visible()
    tab.speak(SHORT)
    assert tab.player_seconds() > 1.0
