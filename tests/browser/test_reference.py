"""Recordings that cannot be used are refused in one sentence; the next one is taken."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from glmtts_core.sound_files.formats import KINDS
from tests.browser.sounds import EMPTY, GOOD, NOT_A_NUMBER, RENAMED_TEXT

pytestmark = pytest.mark.browser


UNUSABLE = (
    (EMPTY, "audio.empty"),
    (RENAMED_TEXT, "audio.unreadable"),
    (NOT_A_NUMBER, "audio.not_finite"),
)


def test_unusable_recordings_are_refused_in_one_sentence_each(open_tab):
    tab = open_tab("/synthesis")
    tab.type_text("This stays where it is")
    for file, sentence in UNUSABLE:
        tab.upload(file)
        tab.expect_one_sentence(tab.say(sentence, name=file.name, kinds=KINDS))
        expect(tab.text_field).to_have_value("This stays where it is")
    tab.upload(GOOD)
    expect(tab.page.get_by_text(GOOD.name)).to_be_visible()
    expect(tab.page.get_by_test_id("stAlert")).to_have_count(0)
