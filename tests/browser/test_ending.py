"""The program's end: on request within seconds, and by a crash without losing results."""

from __future__ import annotations

import signal

import pytest
from playwright.sync_api import expect

from glmtts_core.catalogue import text
from tests.browser.sounds import MIDDLE, SHORT

pytestmark = pytest.mark.browser


def test_a_signal_during_a_synthesis_ends_the_program_in_time(open_tab, start_app):
    app = start_app()
    tab = open_tab("/synthesis", app=app, survives_app=True)
    with app.holding():
        tab.start_long_job(MIDDLE)
        app.stop(signal.SIGHUP)
    assert text("studio.closed", "en") in app.log
    assert "Traceback" not in app.log


def test_a_crash_during_a_synthesis_loses_no_result_and_the_next_start_ends_by_ctrl_c(
    open_tab, start_app
):
    app = start_app()
    tab = open_tab("/synthesis", app=app, survives_app=True)
    tab.speak(SHORT)
    with app.holding():
        tab.start_long_job(MIDDLE)
        app.kill()
    restarted = start_app()
    tab.reload()
    tab.expect_result(1)
    expect(tab.history_count(1)).to_be_visible()
    expect(tab.text_field).to_have_value(MIDDLE)
    assert tab.player_seconds() > 1.0
    restarted.stop(signal.SIGINT)  # Ctrl+C
    assert text("studio.closed", "en") in restarted.log
