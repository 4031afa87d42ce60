"""The program as users start it, with the built-in voice: what only the real sound can show."""

from __future__ import annotations

import json
import os
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, expect

from glmtts_core.catalogue import text
from glmtts_core.engines.available import BUILT_IN_VOICE
from glmtts_core.engines.host.process_end import ProcessEnd
from glmtts_core.memory.oom_kills import oom_kills
from tests.browser.app import RunningApp, wait_for
from tests.browser.batch_tab import BatchTab, lines_of
from tests.browser.sounds import GOOD, LONG, SHORT
from tests.browser.tab import mib

pytestmark = [pytest.mark.browser, pytest.mark.voice]


@pytest.fixture(scope="module")
def voice_app(
    chromium: Browser, model_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    """The program with its own voice."""
    running = RunningApp(tmp_path_factory.mktemp("voice-app"), model_cache)
    yield running
    running.close()


def test_the_first_sound_is_two_clicks_away(open_tab, voice_app, tmp_path):
    tab = open_tab(app=voice_app)
    tab.page.get_by_test_id("stMain").get_by_role("link", name=tab.say("overview.go")).click()
    tab.start_button.click()
    tab.expect_result(1)
    assert tab.player_seconds() > 1.0

    samples, rate_hz = soundfile.read(tab.download(tmp_path / "spoken.wav"))
    assert rate_hz == 24_000
    assert len(samples) / rate_hz == pytest.approx(tab.player_seconds(), abs=0.1)
    assert np.sqrt(np.mean(samples**2)) > 0.005


def test_a_cleanup_lowers_the_figure_and_touches_no_field(open_tab, voice_app):
    tab = open_tab("/synthesis", app=voice_app)
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


def test_a_batch_goes_on_without_its_tab_and_its_results_are_fetched(open_tab, voice_app, tmp_path):
    first = BatchTab(open_tab("/batch", app=voice_app)).give(lines_of(6), ready=6)
    first.press("batch.start", count=6).expect_some_spoken(6)
    run_address = first.page.url.partition("/batch")[2]
    first.page.close()

    again = BatchTab(open_tab("/batch" + run_address, app=voice_app)).expect_state("finished", 6, 6)
    with zipfile.ZipFile(again.download("batch.download.zip", tmp_path / "r.zip")) as archive:
        assert archive.testzip() is None
        sounds = [name for name in archive.namelist() if name.endswith(".wav")]
        (manifest,) = (name for name in archive.namelist() if name.endswith("manifest.jsonl"))
        told = [json.loads(line) for line in archive.read(manifest).splitlines()]
    assert len(sounds) == 6
    assert [each["line"] for each in told] == list(range(1, 8))
    assert [each["state"] for each in told].count("done") == 6


@pytest.mark.skipif(oom_kills() is None, reason="the kernel does not tell why it kills")
def test_the_end_of_the_engines_process_is_told_in_one_sentence_and_the_page_goes_on(
    open_tab, voice_app
):
    tab = open_tab("/synthesis", app=voice_app)
    tab.start_long_job(LONG)
    (pid,) = voice_app.engine_pids
    os.kill(pid, signal.SIGKILL)

    name = BUILT_IN_VOICE.capabilities.engine
    ended = ProcessEnd(-signal.SIGKILL).error(name)
    tab.expect_one_sentence(ended.text("en"))
    expect(tab.text_field).to_have_value(LONG)
    tab.speak(SHORT)
    expect(tab.page.get_by_test_id("stMain").get_by_test_id("stAlert")).to_have_count(0)
    assert voice_app.engine_pids not in ([], [pid])


def test_a_signal_during_a_synthesis_ends_the_program_in_time(open_tab, start_app):
    app = start_app(RunningApp)
    tab = open_tab("/synthesis", app=app, survives_app=True)
    tab.start_long_job(LONG)
    app.stop(signal.SIGTERM)
    assert text("studio.closed", "en") in app.log
    assert "Traceback" not in app.log
