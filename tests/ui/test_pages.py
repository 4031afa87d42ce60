"""The pages as a visitor meets them, in both languages, when all goes well and when it does not."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import soundfile
import streamlit as st

from glmtts_core.audio import encode_wav
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.diagnostics.quality import assess
from glmtts_core.diagnostics.symptoms import Symptom
from glmtts_core.engines.base import Progress, Stage
from glmtts_core.errors import EngineError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.sessions.result_files import session_folder
from glmtts_core.studio.jobs import JobState
from glmtts_core.studio.shared import close_studio, use_studio
from glmtts_core.studio.state import EngineState
from glmtts_core.studio.studio import Studio
from glmtts_core.ui.shared.markdown import message_markdown
from glmtts_core.ui.shared.quantities import size
from tests.ffmpeg_stub import PACKED
from tests.full_disk import full_disk
from tests.scripted_engine import CloningEngine, ScriptedEngine
from tests.sessions.histories import earlier_record
from tests.speaking import ANNA, BERT, request
from tests.ui.visitor import (
    BATCH,
    DIAGNOSTICS,
    LOCALES,
    NO_BROWSER,
    OVERVIEW,
    ROOT,
    SYNTHESIS,
    Visitor,
    app_test,
    in_one_language,
)
from tests.waiting import BOUND_S, wait_until

PAGES = [OVERVIEW, *sorted(f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py"))]
TITLES = {
    OVERVIEW: "overview.title",
    SYNTHESIS: "synthesis.title",
    BATCH: "batch.title",
    DIAGNOSTICS: "diagnostics.title",
}
Visit = Callable[..., Visitor]

both_languages = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture
def synthesis(visit: Visit) -> Visitor:
    """A visitor who reads English, on the synthesis page."""
    return visit(SYNTHESIS)


def held(visitor: Visitor) -> Visitor:
    """Start a synthesis that waits in the middle of its first piece."""
    engine = visitor.session.studio.engine
    engine.gate.clear()
    engine.reached.clear()
    visitor.start()
    assert engine.reached.wait(BOUND_S)
    return visitor.run()


def recording(seconds: float = 0.5) -> bytes:
    return encode_wav(np.full(int(16_000 * seconds), 0.1, np.float32), 16_000)


# -- every page --------------------------------------------------------------------------------


def test_every_page_has_its_title_here():
    assert TITLES.keys() == set(PAGES)


@both_languages
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_in_both_languages(visit: Visit, page, language):
    visitor = visit(page, language)
    assert [header.value for header in visitor.app.header] == [visitor.words(TITLES[page])]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_links_to_every_page_and_takes_the_session_along(visit: Visit, page):
    visitor = visit(page)
    links = visitor.app.sidebar.get("page_link")
    assert [link.value for link in links] == [visitor.words(TITLES[each]) for each in PAGES]
    assert all(visitor.session.id in link.proto.query_string for link in links)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_the_live_memory_and_the_cleanup_button(visitor, page):
    visitor.go(page)
    assert "sidebar_memory" in visitor.chart_keys()
    assert visitor.app.button(key="sidebar_cleanup").label.startswith("🧹")


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_more_than_one_primary_button(visitor, page):
    visitor.go(page)
    assert sum(button.proto.type == "primary" for button in visitor.app.button) <= 1


@pytest.mark.parametrize("page", PAGES)
def test_a_page_in_chinese_has_no_english_sentence(visit: Visit, page):
    words = visit(page, "zh").read()
    assert not re.findall(r"\b(?:the|is|of|your|and)\b", words)


# -- language ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("locale", "language"), [("zh-TW", "zh"), ("fr-FR", "en"), ("", "en")])
def test_the_language_follows_the_browser(visit: Visit, locale, language):
    assert visit(locale=locale).app.segmented_control(key="language").value == language


def test_a_language_of_the_settings_goes_before_the_browsers(settings):
    chinese = settings.model_copy(update={"language": "zh"})
    studio = Studio(chinese, CloningEngine)
    with use_studio(studio):
        assert Visitor().app.segmented_control(key="language").value == "zh"
        st.cache_resource.clear()
    studio.close()


def test_the_language_switch_changes_the_page_and_leaves_the_text(synthesis):
    synthesis.type("my own words").choose_language("zh")
    assert synthesis.app.button(key="start_synthesis").label == "开始合成"
    assert synthesis.form()["text"] == "my own words"


def test_the_language_switch_leaves_the_chosen_voice(synthesis, studio):
    synthesis.app.selectbox(key="form_voice").set_value("kumo")
    synthesis.run().choose_language("zh").speak()
    assert studio.engine.requests[0].voice == "kumo"
    assert synthesis.form()["voice"] == "kumo"


def test_a_chosen_language_holds_on_other_pages_and_after_a_reload(visit: Visit, visitor):
    visitor.choose_language("zh").go(SYNTHESIS)
    assert visitor.app.header[0].value == "单条合成"
    assert visit(session_id=visitor.session.id).app.header[0].value == "总览"


# -- a session in two tabs ---------------------------------------------------------------------


def test_a_tab_whose_session_another_one_has_taken_over_says_so_and_does_nothing(synthesis, studio):
    studio.sessions.lease(synthesis.session.id, object(), force=True)
    synthesis.start()
    assert synthesis.words("tab.taken_over") in synthesis.read()
    assert synthesis.session.job is None


def test_a_session_can_be_taken_back_with_all_that_was_typed(synthesis, studio):
    synthesis.type("half a thought")
    studio.sessions.lease(synthesis.session.id, object(), force=True)
    synthesis.run().click("take_back")
    assert synthesis.form()["text"] == "half a thought"
    assert synthesis.speak("half a thought").records[0].number == 1


# -- first steps -------------------------------------------------------------------------------


@in_one_language
def test_a_first_visitor_is_told_what_to_do(visit: Visit, language):
    visitor = visit(OVERVIEW, language)
    assert visitor.words("overview.go") in visitor.read()
    assert visitor.words("result.none") in visitor.go(SYNTHESIS).read()


@in_one_language
def test_the_first_steps_vanish_after_the_first_result(visit: Visit, language):
    visitor = visit(SYNTHESIS, language).speak()
    assert visitor.words("result.none") not in visitor.read()
    assert visitor.words("overview.go") not in visitor.go(OVERVIEW).read()


@both_languages
def test_a_text_in_the_visitors_language_and_a_voice_are_filled_in(visit: Visit, language):
    visitor = visit(SYNTHESIS, language)
    form = visitor.form()
    assert form["text"] == visitor.words("form.sample_text")
    assert (form["voice"], form["speed"], form["rate"]) == ("alpha", 1.0, 24_000)


def test_the_characters_of_the_text_are_counted(synthesis):
    assert "7 / 5000 characters" in synthesis.type("1234567").read()


@in_one_language
def test_what_will_not_be_heard_is_told_while_typing(visit: Visit, language):
    visitor = visit(SYNTHESIS, language)
    assert visitor.words("read.left_out", parts="") not in visitor.read()
    assert visitor.words("read.left_out", parts="→ Ж 🎉") in visitor.type("OK → Ж 🎉").read()


# -- speaking ----------------------------------------------------------------------------------


def test_a_synthesis_ends_in_player_waveform_spectrogram_and_download(synthesis):
    synthesis.speak()
    assert len(synthesis.app.get("audio")) == 1
    assert {"waveform_1", "mel_1"} <= synthesis.chart_keys()
    assert synthesis.app.get("download_button")[0].key == "download_1"


@both_languages
def test_a_result_tells_its_length_speed_and_memory(visit: Visit, language):
    visitor = visit(SYNTHESIS, language).speak("hello")
    record = visitor.records[0]
    cost = visitor.words(
        "result.facts",
        audio="0.50 s",
        seconds=f"{record.seconds:.2f} s",
        rtf=f"{record.rtf:.2f}",
        rate="24 kHz",
    )
    assert cost in visitor.read()


def test_the_form_decides_what_is_spoken(synthesis, studio):
    synthesis.app.selectbox(key="form_voice").set_value("kumo")
    synthesis.app.slider(key="form_speed").set_value(1.25)
    synthesis.app.segmented_control(key="form_sample_rate_hz").set_value(32_000)
    synthesis.speak("my own words")
    asked = studio.engine.requests[0]
    assert (asked.text, asked.voice, asked.speed) == ("my own words", "kumo", 1.25)
    assert asked.sample_rate_hz == 32_000


@in_one_language
def test_a_running_synthesis_shows_stage_and_piece_and_can_be_cancelled(visit: Visit, language):
    visitor = held(visit(SYNTHESIS, language))
    shown = visitor.app.get("progress")[0].text
    assert visitor.words("stage.waveform") in shown
    assert visitor.words("job.piece", piece=1, pieces=3) in shown
    assert not visitor.app.button(key="cancel_job").disabled


@in_one_language
def test_a_running_synthesis_shows_its_speech_tokens_and_how_many_can_come(visit: Visit, language):
    visitor = held(visit(SYNTHESIS, language))
    visitor.session.job.report(Progress(Stage.SPEECH_TOKENS, 0.3, 1, 3, 120, 460))
    shown = visitor.run().app.get("progress")[0].text
    assert visitor.words("stage.speech_tokens") in shown
    assert visitor.words("job.tokens", tokens=120, most=460) in shown


def test_nothing_can_be_started_while_a_synthesis_runs(synthesis):
    assert held(synthesis).app.button(key="start_synthesis").disabled


def test_a_start_that_comes_second_is_refused_in_one_sentence(synthesis, studio):
    studio.engine.gate.clear()
    # as two quick clicks, or one in another tab, would
    synthesis.app.button(key="start_synthesis").click()
    synthesis.session.submit(request())
    synthesis.run()
    assert [error.value for error in synthesis.app.error] == [
        synthesis.words("studio.session_busy")
    ]


@in_one_language
def test_a_cancelled_synthesis_says_so_and_keeps_the_text(visit: Visit, language):
    visitor = held(visit(SYNTHESIS, language).type("my own words"))
    visitor.click("cancel_job").wait()
    assert visitor.words("job.cancelled") in visitor.read()
    assert visitor.form()["text"] == "my own words"
    assert not visitor.app.button(key="start_synthesis").disabled


@in_one_language
def test_who_waits_sees_how_many_go_before(visit: Visit, studio, language):
    studio.engine.gate.clear()
    studio.submit(BERT, request())
    assert studio.engine.reached.wait(BOUND_S)
    visitor = visit(SYNTHESIS, language).start()
    assert visitor.words("job.queued", place=1) in visitor.app.get("progress")[0].text


def test_a_job_goes_on_while_the_visitor_is_on_another_page(synthesis, studio):
    held(synthesis).go(OVERVIEW)
    studio.engine.gate.set()
    assert synthesis.session.job.wait(BOUND_S)
    assert "hello" not in synthesis.read()
    assert synthesis.go(SYNTHESIS).records


# -- faults ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "fault"),
    [
        ("zh", lambda: EngineError("engine.out_of_memory")),
        ("en", MemoryError),
        ("zh", lambda: RuntimeError("<b>the *network* broke</b>\nTraceback")),
        ("en", lambda: RuntimeError("<b>the *network* broke</b>\nTraceback")),
    ],
    ids=["told", "out of memory", "unexpected in Chinese", "unexpected in English"],
)
def test_a_failed_synthesis_shows_one_sentence_and_keeps_the_text(
    visit: Visit, studio, language, fault
):
    studio.engine.fail_with = fault
    visitor = visit(SYNTHESIS, language).speak("my own words")
    error = visitor.session.job.view().error
    assert [shown.value for shown in visitor.app.error] == [message_markdown(error, language)]
    assert visitor.form()["text"] == "my own words"


def test_after_a_fault_the_next_synthesis_works_and_the_sentence_goes(synthesis, studio):
    studio.engine.fail_with = MemoryError
    synthesis.speak()
    studio.engine.fail_with = None
    synthesis.speak()
    assert (len(synthesis.app.error), len(synthesis.records)) == (0, 1)


@pytest.mark.parametrize(("language", "words"), [("zh", ""), ("en", "  \n")])
def test_an_empty_text_is_told(visit: Visit, language, words):
    visitor = visit(SYNTHESIS, language).type(words).start()
    assert [error.value for error in visitor.app.error] == [visitor.words("text.empty")]


def test_a_text_that_cannot_be_spoken_does_not_even_load_the_model(synthesis, studio):
    synthesis.type("🎉").start()
    assert [error.value for error in synthesis.app.error] == [synthesis.words("text.unspeakable")]
    assert (studio.engine.loaded, synthesis.form()["text"]) == (False, "🎉")


def test_a_disk_that_is_full_is_told_while_typing_and_the_text_stays(synthesis):
    with full_disk():
        synthesis.type("my own words")
    told = synthesis.words("form.not_kept", reason="File too large")
    assert told in [warning.value for warning in synthesis.app.warning]
    assert synthesis.form()["text"] == "my own words"


class TroubledEngine(ScriptedEngine):
    """Falls silent in the middle of what it speaks, as happens when memory runs short."""

    def synthesize(self, request, caches, control):
        spoken = super().synthesize(request, caches, control)
        silent = spoken.samples.copy()
        silent[len(silent) // 2 :] = 0.0
        return replace(spoken, samples=silent)


@in_one_language
def test_a_result_that_sounds_like_trouble_with_memory_comes_with_a_warning(settings, language):
    with closing(Studio(settings, TroubledEngine)) as studio, use_studio(studio):
        visitor = Visitor(SYNTHESIS, language).speak("hello hello hello")
        heard = assess(visitor.session.samples(visitor.records[0]), 24_000)
        st.cache_resource.clear()
    assert [each.symptom for each in heard.findings] == [Symptom.HALF_SILENT]
    finding = heard.findings[0].message.text(language)
    told = visitor.words("quality.memory_trouble", finding=finding)
    assert [warning.value for warning in visitor.app.warning] == [told]


def test_a_sound_result_comes_without_a_warning(synthesis):
    synthesis.speak()
    assert [warning.value for warning in synthesis.app.warning] == []


def test_a_result_that_could_not_be_saved_is_playable_and_says_so(synthesis):
    with full_disk():
        synthesis.speak()
    told, after = synthesis.words("result.unsaved", reason="|").split("|")
    (shown,) = (each.value for each in synthesis.app.warning if told in each.value)
    assert after in shown
    assert not re.search(r"[.。]{2}", shown)
    assert len(synthesis.app.get("audio")) == 1


def test_a_result_whose_file_is_gone_is_told_in_one_sentence(synthesis, settings):
    synthesis.speak().click("sidebar_cleanup")
    (session_folder(settings.output_dir, synthesis.session.id) / "000001.wav").unlink()
    synthesis.run()
    assert "000001.wav cannot be read" in synthesis.app.warning[0].value
    assert len(synthesis.app.get("audio")) == 0


@in_one_language
def test_a_record_that_cannot_be_read_is_named(visit: Visit, studio, settings, language):
    known = studio.session_ids.issue(NO_BROWSER)
    folder = session_folder(settings.output_dir, known)
    folder.mkdir(parents=True)
    (folder / "000003.json").write_bytes(b"{")
    visitor = visit(SYNTHESIS, language, session_id=known)
    told = visitor.words("history.unreadable", name="000003.json")
    assert [warning.value for warning in visitor.app.warning] == [told]


def test_a_result_that_cannot_be_deleted_is_told_in_one_sentence(synthesis, settings):
    synthesis.speak()
    file = session_folder(settings.output_dir, synthesis.session.id) / "000001.wav"
    file.unlink()
    file.mkdir()
    synthesis.click("delete_1")
    assert [error.value for error in synthesis.app.error if "cannot be changed" in error.value]


@pytest.fixture
def no_studio(tmp_path, monkeypatch):
    """A process that has not opened its studio, over an empty folder."""
    monkeypatch.setenv("GLMTTS_OUTPUT_DIR", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    yield
    close_studio()


@both_languages
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("no_studio")
def test_a_setting_that_cannot_be_used_is_one_sentence_on_every_page(monkeypatch, language, page):
    monkeypatch.setenv("GLMTTS_DEVIC", "cpu")
    app = app_test()
    app.context = {"locale": LOCALES[language]}
    app.switch_page(page).run()
    assert len(app.exception) == 0
    assert ["GLMTTS_DEVICE" in error.value for error in app.error] == [True]


# -- history -----------------------------------------------------------------------------------


@pytest.fixture
def after_two(synthesis: Visitor) -> Visitor:
    """A visitor who has heard two results."""
    return synthesis.speak("first").speak("second")


def test_the_newest_result_is_shown(after_two):
    assert "waveform_2" in after_two.chart_keys()


def test_an_earlier_result_can_be_shown_again(after_two):
    after_two.click("replay_1")
    assert {"waveform_1"} == {key for key in after_two.chart_keys() if "waveform" in key}


def test_a_new_result_is_shown_although_an_earlier_one_was_chosen(after_two):
    after_two.click("replay_1").speak("third")
    assert "waveform_3" in after_two.chart_keys()


def test_a_deleted_result_leaves_page_and_disk(after_two, settings):
    after_two.click("delete_2")
    assert "replay_2" not in after_two.button_keys()
    assert "waveform_1" in after_two.chart_keys()
    folder = session_folder(settings.output_dir, after_two.session.id)
    assert [path.name for path in folder.glob("*.wav")] == ["000001.wav"]


def test_deleting_the_chosen_result_shows_the_newest(after_two):
    after_two.click("replay_1").click("delete_1")
    assert "waveform_2" in after_two.chart_keys()


def test_a_long_history_is_folded_until_asked_for(synthesis):
    for number in range(10):
        job = synthesis.session.submit(request(f"text {number}"))
        assert job.wait(BOUND_S)
    synthesis.run()
    assert "replay_2" not in synthesis.button_keys()
    assert "replay_1" in synthesis.click("history_show_all").button_keys()


def test_signs_in_a_text_are_shown_as_they_were_typed(synthesis):
    synthesis.speak("# *not* a heading :red[x] $y$ <b>z</b>")
    shown = "\n".join(each.value for each in synthesis.app.markdown)
    assert r"\*not\*" in shown
    assert r"\<b\>" in shown


@in_one_language
def test_the_overview_lists_the_syntheses_with_their_cost(visit: Visit, language):
    visitor = visit(SYNTHESIS, language).speak("hello").go(OVERVIEW)
    table = visitor.app.dataframe[0].value
    assert list(table[visitor.words("overview.column_text")]) == ["hello"]
    cost = visitor.records[0].memory_cost
    moments = [size(each) for each in (cost.before_bytes, cost.peak_bytes, cost.after_bytes)]
    assert list(table[visitor.words("overview.column_memory")]) == [" → ".join(moments)]


def test_the_overview_dates_what_was_not_spoken_today(visit: Visit, studio, settings):
    known = studio.session_ids.issue(NO_BROWSER)
    folder = session_folder(settings.output_dir, known)
    folder.mkdir(parents=True)
    earlier = earlier_record(1, spoken_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    (folder / "000001.json").write_text(earlier, encoding="utf-8")
    visitor = visit(OVERVIEW, session_id=known)
    table = visitor.app.dataframe[0].value
    assert list(table[visitor.words("overview.column_time")]) == ["2026-01-02 03:04"]


def test_a_reload_finds_form_and_history_again(visit: Visit, synthesis):
    synthesis.speak("my own words")
    again = visit(SYNTHESIS, session_id=synthesis.session.id)
    assert again.form() == synthesis.form()
    assert "waveform_1" in again.chart_keys()


def test_a_tab_that_was_duplicated_gets_a_session_of_its_own(visit: Visit, studio):
    known = studio.session_ids.issue(NO_BROWSER)
    assert studio.sessions.lease(known)
    visitor = visit(session_id=known)
    assert visitor.session.id != known
    assert visitor.app.query_params["s"] == visitor.session.id


@pytest.mark.parametrize("wanted", ["../../etc", "x", "A" * 32, ANNA])
def test_an_address_with_a_session_that_was_never_given_out_opens_a_new_one(
    visit: Visit, studio, wanted
):
    assert visit(session_id=wanted).session.id != wanted
    assert wanted not in studio.sessions.known_ids()


def test_an_address_with_the_session_of_another_browser_opens_a_new_one(visit: Visit, studio):
    foreign = studio.session_ids.issue("another browser's cookie")
    assert visit(session_id=foreign).session.id != foreign
    assert foreign not in studio.sessions.known_ids()


# -- the form ----------------------------------------------------------------------------------


def filled_in(visitor: Visitor) -> Visitor:
    """Fill in every field of the form."""
    app = visitor.upload(recording()).app
    app.text_input(key="form_transcript").set_value("what I said")
    app.selectbox(key="form_voice").set_value("kumo")
    app.slider(key="form_speed").set_value(0.8)
    app.segmented_control(key="form_sample_rate_hz").set_value(32_000)
    return visitor.type("my own words")


FILLED_IN = {
    "text": "my own words",
    "voice": "kumo",
    "speed": 0.8,
    "rate": 32_000,
    "transcript": "what I said",
    "reference": recording(),
}


def test_the_form_is_the_same_after_a_visit_to_another_page(synthesis):
    assert filled_in(synthesis).go(OVERVIEW).go(SYNTHESIS).form() == FILLED_IN


def test_the_form_is_the_same_after_a_reload(visit: Visit, synthesis):
    filled_in(synthesis)
    assert visit(SYNTHESIS, session_id=synthesis.session.id).form() == FILLED_IN


@pytest.mark.parametrize(
    ("language", "button"), [("zh", "sidebar_cleanup"), ("en", "advanced_cleanup")]
)
def test_a_cleanup_after_a_synthesis_leaves_form_and_history_as_they_were(
    visit: Visit, language, button
):
    visitor = filled_in(visit(SYNTHESIS, language)).start().wait()
    records = visitor.records
    visitor.click(button)
    assert visitor.form() == FILLED_IN
    assert visitor.records == records
    assert "waveform_1" in visitor.chart_keys()


def test_a_cleanup_while_a_synthesis_runs_leaves_both_alone(synthesis, studio):
    held(filled_in(synthesis)).click("sidebar_cleanup")
    assert synthesis.form() == FILLED_IN
    studio.engine.gate.set()
    assert synthesis.wait().session.job.view().state is JobState.DONE


@in_one_language
def test_controls_that_the_engine_lacks_are_disabled_and_say_why(visit: Visit, language):
    visitor = visit(SYNTHESIS, language)
    reason = visitor.words("speech.lacking", engine="Scripted")
    app = visitor.app
    controls = [
        app.number_input(key="form_seed"),
        app.selectbox(key="form_sampling"),
        app.toggle(key="form_history"),
    ]
    assert [(control.disabled, control.help) for control in controls] == [(True, reason)] * 3
    names = visitor.words("speech.list_separator").join(
        visitor.words(key) for key in ("speech.seed", "speech.sampling", "speech.history")
    )
    assert visitor.words("speech.lacking_list", engine="Scripted", controls=names) in visitor.read()


@in_one_language
def test_a_resampled_rate_is_labelled_so(visit: Visit, language):
    visitor = visit(SYNTHESIS, language)
    rates = visitor.app.segmented_control(key="form_sample_rate_hz")
    assert rates.options == ["24 kHz", visitor.words("speech.resampled", rate="32 kHz")]


# -- the reference recording -------------------------------------------------------------------


@in_one_language
def test_a_recording_is_kept_though_this_voice_does_not_use_it(visit: Visit, language):
    visitor = visit(SYNTHESIS, language).upload(recording(), "anna.wav")
    assert visitor.words("form.reference_unused", engine="Scripted") in visitor.read()
    assert "anna.wav" in visitor.read()
    assert visitor.session.saved_form.reference() == recording()


def test_a_removed_recording_makes_room_for_another(synthesis):
    synthesis.upload(recording()).click("remove_reference")
    assert synthesis.session.saved_form.reference() is None
    synthesis.upload(recording(0.7), "bert.wav")
    assert "bert.wav" in synthesis.read()


@pytest.mark.parametrize(("language", "data"), [("zh", b""), ("en", b"this is no audio")])
def test_a_file_that_is_no_audio_is_told_and_not_kept(visit: Visit, language, data):
    visitor = visit(SYNTHESIS, language).upload(data, "notes.wav")
    assert ["notes.wav" in error.value for error in visitor.app.error] == [True]
    assert visitor.session.saved_form.form.reference_name is None


def test_a_recording_in_opus_is_taken(synthesis):
    target = io.BytesIO()
    soundfile.write(target, np.zeros(48_000), 48_000, format="OGG", subtype="OPUS")
    synthesis.upload(target.getvalue(), "anna.opus")
    assert "anna.opus" in synthesis.read()
    assert synthesis.session.saved_form.reference() == target.getvalue()


@both_languages
def test_a_recording_that_takes_ffmpeg_is_told_what_to_do_where_there_is_none(
    visit: Visit, language, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    visitor = visit(SYNTHESIS, language).upload(PACKED["m4a"], "anna.m4a")
    assert ["ffmpeg" in error.value for error in visitor.app.error] == [True]
    assert visitor.session.saved_form.form.reference_name is None


def test_a_recording_whose_file_is_gone_can_be_removed(synthesis, settings):
    synthesis.upload(recording())
    (session_folder(settings.output_dir, synthesis.session.id) / "reference.audio").unlink()
    assert synthesis.words("form.reference_gone") in synthesis.run().read()
    assert synthesis.click("remove_reference").app.file_uploader


# -- an engine that has it all -----------------------------------------------------------------


@pytest.fixture
def cloning(settings):
    """A visitor on the synthesis page of an engine that clones voices."""
    studio = Studio(settings, CloningEngine)
    with use_studio(studio):
        yield Visitor(SYNTHESIS)
        st.cache_resource.clear()
    studio.close()


def test_an_engine_that_clones_gets_recording_and_transcript(cloning):
    filled_in(cloning).speak()
    reference = cloning.session.studio.engine.requests[0].reference
    assert (reference.name, reference.transcript) == ("anna.wav", "what I said")
    assert len(reference.samples) == 8_000


def test_an_engine_that_draws_at_random_gets_seed_method_and_history(cloning):
    cloning.app.number_input(key="form_seed").set_value(42)
    cloning.app.selectbox(key="form_sampling").set_value("topk")
    cloning.app.toggle(key="form_history").set_value(True)
    cloning.run().speak()
    asked = cloning.session.studio.engine.requests[0]
    assert (asked.seed, asked.sampling, asked.history) == (42, "topk", True)


def test_a_seed_that_nobody_gave_is_drawn_and_told_with_the_result(cloning):
    cloning.speak()
    asked = cloning.session.studio.engine.requests[0]
    assert asked.seed is not None
    assert cloning.words("result.seed", seed=asked.seed) in cloning.read()


def test_the_die_throws_a_seed_that_a_reload_keeps(cloning):
    cloning.click("form_throw_seed")
    thrown = cloning.app.number_input(key="form_seed").value
    assert thrown is not None
    assert cloning.session.saved_form.form.seed == thrown


def test_the_notice_of_misuse_is_shown_once(cloning):
    assert cloning.words("form.notice").split("**")[1] in cloning.read()
    cloning.click("notice_read")
    assert cloning.words("form.notice").split("**")[1] not in cloning.read()
    again = Visitor(SYNTHESIS, session_id=cloning.session.id)
    assert "notice_read" not in again.button_keys()


def test_nothing_is_called_lacking_where_nothing_lacks(cloning):
    lacking = cloning.words("speech.lacking", engine="Cloning")
    unused = cloning.words("form.reference_unused", engine="Cloning")
    assert lacking not in cloning.read()
    assert unused not in cloning.read()


# -- two engines -------------------------------------------------------------------------------


@pytest.fixture
def two_engines(settings):
    """A visitor on the synthesis page of a studio with two engines."""
    studio = Studio(settings, CloningEngine, ScriptedEngine)
    with use_studio(studio):
        yield Visitor(SYNTHESIS)
        st.cache_resource.clear()
    studio.close()


def test_the_preferred_engine_is_chosen_at_first(two_engines):
    assert two_engines.app.segmented_control(key="form_engine").value == "Cloning"


def test_another_engine_brings_its_own_controls_and_speaks(two_engines):
    two_engines.app.segmented_control(key="form_engine").set_value("Scripted")
    two_engines.run()
    assert two_engines.app.number_input(key="form_seed").disabled
    two_engines.speak("by the other")
    engines = two_engines.session.studio.engines
    assert engines.find("Scripted").spoken == ["by the other"]
    assert engines.find("Cloning").spoken == []
    assert two_engines.records[0].engine == "Scripted"


def test_a_single_engine_leaves_nothing_to_choose(synthesis):
    assert not [each for each in synthesis.app.segmented_control if each.key == "form_engine"]


# -- memory ------------------------------------------------------------------------------------


@in_one_language
def test_a_cleanup_shows_promise_and_fact(visit: Visit, language):
    visitor = visit(OVERVIEW, language).click("sidebar_cleanup")
    sentence = visitor.words("cleanup.report", promised="|", regained="|", seconds="|")
    assert sentence.partition("|")[0] in visitor.read()
    assert visitor.words(visitor.session.cleanup_report.next_cost) in visitor.read()


def test_the_cleanup_button_tells_what_it_would_give_back(visitor, studio):
    caches = studio.sessions.entry(visitor.session.id).caches
    caches.put(LedgerKind.VOICE_CACHE, "voice", object(), 60 * 2**20)
    assert "60 MiB" in visitor.run().app.button(key="sidebar_cleanup").label


def test_a_cleanup_that_must_wait_says_so_and_cannot_be_asked_for_twice(synthesis):
    held(synthesis).click("unload_model")
    assert synthesis.words("cleanup.pending.unload") in synthesis.read()
    assert synthesis.app.button(key="sidebar_cleanup").disabled
    assert synthesis.app.button(key="unload_model").disabled


@in_one_language
def test_what_can_be_moved_to_main_memory_has_a_button_for_it(
    visit: Visit, studio, language, monkeypatch
):
    assert "offload_model" not in visit(OVERVIEW, language).button_keys()
    plain = studio.engine.capabilities
    both = (*plain.release_levels, CleanupLevel.OFFLOAD)
    monkeypatch.setattr(
        ScriptedEngine, "capabilities", replace(plain, release_levels=both), raising=True
    )
    visitor = visit(OVERVIEW, language)
    assert "offload_model" not in visitor.button_keys()
    assert studio.load(ANNA).wait(BOUND_S)
    visitor.run().click("offload_model")
    assert studio.engine.released == [CleanupLevel.OFFLOAD]
    # what waits in main memory already cannot be moved there again
    assert visitor.run().app.button(key="offload_model").disabled
    assert not visitor.app.button(key="unload_model").disabled


@in_one_language
def test_an_unload_that_would_disturb_others_is_refused_in_one_sentence(
    visit: Visit, studio, language
):
    studio.engine.gate.clear()
    studio.submit(BERT, request())
    assert studio.engine.reached.wait(BOUND_S)
    visitor = visit(OVERVIEW, language).click("unload_model")
    assert visitor.words("studio.unload_busy", count=1) in visitor.read()


def test_a_cleanup_that_breaks_is_told_in_one_sentence(visitor, studio):
    studio.engine.fail_releasing_with = lambda: RuntimeError("the driver is gone")
    assert "the driver is gone" in visitor.click("sidebar_cleanup").read()


def test_the_engine_can_be_loaded_ahead_and_unloaded_again(visitor, studio):
    visitor.click("load_model")
    wait_until(lambda: studio.state().engine is EngineState.IDLE)
    visitor.run()
    visitor.click("unload_model").run()
    assert studio.state().engine is EngineState.NOT_LOADED
    assert "load_model" in visitor.button_keys()


@in_one_language
def test_the_engines_state_is_shown(visit: Visit, studio, language):
    visitor = visit(OVERVIEW, language)
    assert visitor.words("engine_state.not_loaded") in visitor.read()
    held(visitor.go(SYNTHESIS))
    assert visitor.words("engine_state.speaking") in visitor.read()
    studio.submit(BERT, request())
    assert visitor.words("engine_state.queued", count=1) in visitor.run().read()


@in_one_language
def test_advice_to_clean_up_gives_its_reason(visit: Visit, studio, language):
    visitor = visit(SYNTHESIS, language).speak("a long text " * 10)
    caches = studio.sessions.entry(visitor.session.id).caches
    caches.put(LedgerKind.VOICE_CACHE, "voice", object(), 64 * 2**20)
    visitor.run()
    advice = visitor.session.advice()
    assert advice.key == "memory.advice.long_text"
    assert advice.text(language) in visitor.read()


def test_a_closed_tab_gives_its_caches_back_and_keeps_its_results(visit: Visit, studio):
    visitor = visit(SYNTHESIS).speak()
    session_id = visitor.session.id
    assert studio.ledger.snapshot().total_bytes(owner=session_id) > 0
    st.cache_resource.clear()
    wait_until(lambda: studio.ledger.snapshot().total_bytes(owner=session_id) == 0)
    assert len(studio.sessions.entry(session_id).history.list().records) == 1
