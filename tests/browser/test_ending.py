"""The program's end: on request within seconds, and by a crash without losing results."""

from __future__ import annotations

import signal

import pytest
from playwright.sync_api import expect

from glmtts_core.catalogue import text
from tests.browser.sounds import LONG, SHORT

pytestmark = [pytest.mark.browser, pytest.mark.voice]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_a_synthesis_ends_the_program_in_time(open_tab, start_app, number):
    app = start_app()
    tab = open_tab("/synthesis", app=app, survives_app=True)
    tab.start_long_job(LONG)
    app.stop(number)
    assert text("studio.closed", "en") in app.log
    assert "Traceback" not in app.log


def test_a_crash_during_a_synthesis_loses_no_result_and_the_next_start_ends_by_ctrl_c(
    open_tab, start_app
):
    app = start_app()
    tab = open_tab("/synthesis", app=app, survives_app=True)
    tab.speak(SHORT)
    tab.start_long_job(LONG)
    app.kill()
    restarted = start_app(app.port)
    tab.reload()
    tab.expect_result(1)
    expect(tab.history_count(1)).to_be_visible()
    expect(tab.text_field).to_have_value(LONG)
    assert tab.player_seconds() > 1.0
    restarted.stop(signal.SIGINT)  # Ctrl+C
    assert text("studio.closed", "en") in restarted.log
