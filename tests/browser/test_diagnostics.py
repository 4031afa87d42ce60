"""The diagnostics page in a real browser: it opens, fits, and an experiment can be cancelled."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from glmtts_core.catalogue import LANGUAGES
from tests.browser.conftest import OpenTab

pytestmark = pytest.mark.browser
_TABS = ("laboratory", "claims", "listening", "memory", "growth", "environment")
#: Milliseconds for an engine to be started and ended on a busy machine.
_ENGINE_MS = 60_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_tab_opens_and_fits_a_phone_and_a_screen(open_tab: OpenTab, language):
    tab = open_tab("/diagnostics", language=language)
    for name in _TABS:
        tab.page.get_by_role("tab", name=tab.say(f"diagnostics.tab.{name}")).click()
        assert tab.overflowing_at(400, 1280) == {}


def test_an_experiment_is_started_followed_and_cancelled(open_tab: OpenTab):
    tab = open_tab("/diagnostics")
    tab.page.get_by_role("button", name=tab.say("diagnostics.start")).click()
    # where an earlier test has spoken, the page asks whether it may unload the engine
    unload = tab.page.get_by_role("button", name=tab.say("diagnostics.unload_and_start"))
    expect(unload.or_(tab.progress)).to_be_visible()
    if unload.is_visible():
        unload.click()
    expect(tab.progress).to_be_visible()
    tab.cancel_button.first.click()
    ended = tab.page.get_by_text(tab.say("diagnostics.cancelled", done=0, count=8))
    expect(ended.first).to_be_visible(timeout=_ENGINE_MS)
