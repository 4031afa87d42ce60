"""The batch page as a visitor meets it: a file comes in, is checked, mended, run, heard."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import streamlit as st

from glmtts_core.batch.registry import batches_of
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import LineState, RunState
from glmtts_core.batch_files.lines import RunDefaults
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.errors import EngineError
from glmtts_core.studio.shared import use_studio
from glmtts_core.studio.studio import Studio
from glmtts_core.ui.batch.file_input import sample_csv, sample_jsonl
from tests.batch.runs import spoil
from tests.full_disk import full_disk
from tests.scripted_engine import CloningEngine
from tests.speaking import voice_wav
from tests.ui.visitor import BATCH, SYNTHESIS, Visitor, in_one_language, shown
from tests.waiting import BOUND_S, wait_until

LINES = (
    b'{"uttid": "one", "text": "first"}\n'
    b'{"text": "not closed\n'
    b'{"uttid": "three", "text": "third", "speed": 9}\n'
    b'{"uttid": "four", "text": "fourth"}\n'
)
WAV = voice_wav()

both_languages = pytest.mark.parametrize("language", LANGUAGES)


class Guest(Visitor):
    """A visitor of the batch page."""

    def give(self, data: bytes = LINES, name: str = "lines.jsonl") -> Guest:
        """Upload a batch file, and stay until it is checked."""
        self.app.file_uploader[0].set_value((name, data, "text/plain"))
        self.run()
        return self.checked()

    def give_recordings(self, recordings: dict[str, bytes]) -> Guest:
        """Upload recordings beside a chosen file."""
        files = [(name, data, "audio/wav") for name, data in recordings.items()]
        self.app.file_uploader[0].set_value(files)
        return self.run().run()

    def checked(self) -> Guest:
        """Stay until the check is through."""
        wait_until(
            lambda: "batch_start" in self.run().button_keys() and not self.app.get("progress")
        )
        return self

    def begin(self) -> Guest:
        """Start the batch."""
        return self.click("batch_start")

    def finish(self) -> Guest:
        """Stay until the run has ended."""
        assert self.batch_run.wait(BOUND_S)
        return self.run()

    @property
    def batch_run(self) -> BatchRun:
        """The run that the page shows."""
        return batches_of(self.session.studio).run(self.app.session_state["batch_shown_run"])

    def states(self) -> dict[str, LineState]:
        """Return the state of every line by its name."""
        return {row.line.uttid: row.status.state for row in self.batch_run.lines.rows()}

    def mend(self, row: int, line: str) -> Guest:
        """Type into the table of bad lines, and have it checked."""
        typed = {"edited_rows": {row: {"line": line}}, "added_rows": [], "deleted_rows": []}
        key = self.app.data_editor[0].key
        self.app.session_state[key] = typed
        self.run()
        self.app.session_state[key] = typed
        return self.click("batch_mend_check").checked()


@pytest.fixture
def guest(visit: Callable[..., Visitor]) -> Guest:
    """A visitor of the batch page who reads English."""
    return Guest(BATCH)


# -- a file comes in ---------------------------------------------------------------------------


@both_languages
def test_a_file_is_told_what_it_is_and_what_of_it_can_be_spoken(visit, language):
    guest = Guest(BATCH, language).give()
    said = guest.read()
    for words in ("lines.jsonl", "JSONL", "UTF-8"):
        assert words in said
    assert guest.words("batch.ready", count=2) in said
    assert guest.words("batch.set_aside", count=2) in said


def test_a_file_in_another_encoding_says_so(guest):
    data = 'uttid,text\na,"你好，世界"\n'.encode("gb18030")
    assert "GB18030" in guest.give(data, "lines.csv").read()


def test_pasted_lines_are_as_good_as_a_file(guest):
    guest.app.text_area(key="batch_pasted").set_value(LINES.decode())
    guest.click("batch_paste_take").checked()
    assert guest.words("batch.ready", count=2) in guest.read()


@both_languages
def test_bare_lines_may_be_pasted_and_the_page_says_what_they_were_taken_for(visit, language):
    guest = Guest(BATCH, language)
    guest.app.text_area(key="batch_pasted").set_value("one\n\ntwo, three\n")
    guest.click("batch_paste_take").checked()
    said = guest.read()
    for key in ("batch.layout.txt", "batch.file.plain"):
        assert guest.words(key) in said
    guest.begin().finish()
    assert [row.line.text for row in guest.batch_run.lines.rows()] == ["one", "two, three"]


def test_ignored_fields_are_named_on_the_page(guest):
    said = guest.give(b'{"text": "a", "speaker": 1}\n{"text": "b", "speaker": 2}').read()
    assert "speaker (2)" in said


def test_a_row_over_several_lines_is_mended_as_a_whole(guest):
    guest.give(b'text;speed\n"first\nsecond";fast\nthird;1\n', "lines.csv")
    guest.mend(0, '"first\nsecond";1,5')
    assert guest.words("batch.ready", count=2) in guest.read()
    guest.begin().finish()
    texts = [(row.line.text, row.line.speed) for row in guest.batch_run.lines.rows()]
    assert texts == [("first\nsecond", 1.5), ("third", 1.0)]


def test_a_file_that_cannot_be_used_is_told_why(guest):
    guest.app.file_uploader[0].set_value(("lines.csv", b"a,b\n1,2\n", "text/plain"))
    guest.run()
    assert "text" in guest.app.error[0].value
    assert guest.app.button(key="batch_start").disabled


def test_a_full_disk_is_told(guest):
    with full_disk():
        guest.app.file_uploader[0].set_value(("lines.jsonl", LINES, "text/plain"))
        guest.run()
    assert guest.app.error


def test_the_file_outlives_a_change_of_page_and_a_reload(guest):
    guest.give()
    guest.go(SYNTHESIS).go(BATCH)
    assert "lines.jsonl" in guest.read()
    again = Guest(BATCH, session_id=guest.session.id)
    assert "lines.jsonl" in again.read()


def test_the_file_can_be_removed(guest):
    guest.give().click("batch_drop_file")
    assert "lines.jsonl" not in guest.read()
    assert guest.app.file_uploader


@pytest.mark.parametrize(
    ("content", "name"), [(sample_jsonl(), "s.jsonl"), (sample_csv(), "s.csv")]
)
def test_the_sample_files_can_be_spoken_as_they_are(guest, content, name):
    guest.give(content.encode(), name).begin().finish()
    assert set(guest.states().values()) == {LineState.DONE}
    assert len(guest.states()) == 4


def test_only_some_lines_of_a_large_file_reach_the_page(guest):
    many = "".join(json.dumps({"text": f"words of line {number}"}) + "\n" for number in range(3000))
    guest.give(many.encode())
    assert 0 < sum(len(table.value) for table in guest.app.dataframe) <= 20


# -- bad lines ---------------------------------------------------------------------------------


def test_a_bad_line_is_mended_on_the_page(guest):
    guest.give().mend(0, '{"uttid": "two", "text": "second"}')
    assert guest.words("batch.ready", count=3) in guest.read()
    guest.begin().finish()
    assert guest.states() == dict.fromkeys(("one", "two", "four"), LineState.DONE)


def test_good_lines_run_while_bad_ones_are_set_aside(guest):
    guest.give().begin().finish()
    assert guest.states() == dict.fromkeys(("one", "four"), LineState.DONE)
    assert guest.batch_run.view().counts.set_aside == 2
    guest.app.segmented_control(key="batch_filter").set_value("set_aside")
    guest.run()


def test_of_a_corrected_file_only_what_is_missing_is_spoken(guest, studio):
    guest.give().begin().finish()
    first = guest.batch_run.id
    studio.engine.spoken.clear()
    guest.click("batch_amend").checked()
    assert guest.app.button(key="batch_start").disabled
    guest.mend(0, '{"uttid": "two", "text": "second"}').begin().finish()
    assert guest.batch_run.id == first
    assert studio.engine.spoken == ["second"]
    assert guest.states() == dict.fromkeys(("one", "two", "four"), LineState.DONE)


def test_a_corrected_file_can_be_uploaded_into_its_run(guest, studio):
    guest.give().begin().finish()
    studio.engine.spoken.clear()
    guest.click("batch_amend").checked().click("batch_drop_file")
    guest.give(LINES + b'{"uttid": "five", "text": "fifth"}\n', "mended.jsonl").begin().finish()
    assert studio.engine.spoken == ["fifth"]


def test_a_line_that_failed_can_be_mended_too(guest, studio):
    studio.engine.fail_with = lambda: EngineError("kokoro.run_failed", reason="no")
    guest.give(b'{"uttid": "one", "text": "first"}\n').begin().finish()
    studio.engine.fail_with = None
    guest.click("batch_amend").checked()
    guest.mend(0, '{"uttid": "one", "text": "better"}').begin().finish()
    assert studio.engine.spoken == ["better"]


def test_correcting_can_be_left(guest):
    guest.give().begin().finish().click("batch_amend").click("batch_amend_stop")
    assert "batch_amend_stop" not in guest.button_keys()
    assert guest.app.file_uploader


# -- a run -------------------------------------------------------------------------------------


@in_one_language
def test_a_run_is_steered_from_the_page(visit, studio, language):
    studio.engine.gate.clear()
    guest = Guest(BATCH, language).give().begin()
    assert studio.engine.reached.wait(BOUND_S)
    guest.run()
    assert guest.words("batch.run_state.running") in guest.app.get("progress")[0].proto.text
    guest.click("batch_pause")
    studio.engine.gate.set()
    guest.finish()
    assert guest.batch_run.view().state is RunState.PAUSED
    guest.click("batch_resume").finish()
    assert guest.batch_run.view().state is RunState.FINISHED
    assert guest.words("batch.run_state.finished") in guest.app.get("progress")[0].proto.text


def test_a_run_can_be_cancelled(guest, studio):
    studio.engine.gate.clear()
    guest.give().begin()
    assert studio.engine.reached.wait(BOUND_S)
    guest.run().click("batch_cancel")
    guest.finish()
    assert guest.batch_run.view().state is RunState.CANCELLED


def test_failed_lines_say_why_and_are_tried_again(guest, studio):
    studio.engine.fail_with = lambda: EngineError("kokoro.run_failed", reason="no")
    guest.give().begin().finish()
    assert set(guest.states().values()) == {LineState.FAILED}
    studio.engine.fail_with = None
    guest.click("batch_retry").finish()
    assert set(guest.states().values()) == {LineState.DONE}
    assert "batch_retry" not in guest.button_keys()


def test_the_chosen_settings_hold_for_the_run(guest, studio):
    guest.give()
    guest.app.selectbox(key="batch_voice").set_value("kumo")
    guest.app.slider(key="batch_speed").set_value(1.5)
    guest.app.checkbox(key="batch_clean_every").set_value(True)
    guest.app.checkbox(key="batch_clean_at_threshold").set_value(False)
    guest.run()
    guest.app.number_input(key="batch_every_lines").set_value(1)
    guest.run().begin().finish()
    assert {(each.voice, each.speed) for each in studio.engine.requests} == {("kumo", 1.5)}
    policy = guest.batch_run.header.policy
    assert (policy.threshold_bytes, policy.every_lines) == (None, 1)


def test_the_chosen_settings_survive_a_reload(guest):
    guest.give()
    guest.app.selectbox(key="batch_voice").set_value("kumo")
    guest.app.slider(key="batch_speed").set_value(1.5)
    guest.app.segmented_control(key="batch_sample_rate_hz").set_value(32_000)
    guest.app.checkbox(key="batch_clean_every").set_value(True)
    guest.run().app.number_input(key="batch_every_lines").set_value(3)
    guest.run()
    again = Guest(BATCH, session_id=guest.session.id).checked()
    assert again.app.selectbox(key="batch_voice").value == "kumo"
    assert again.app.segmented_control(key="batch_sample_rate_hz").value == 32_000
    again.begin().finish()
    header = again.batch_run.header
    assert (header.defaults.voice, header.defaults.speed) == ("kumo", 1.5)
    assert (header.defaults.sample_rate_hz, header.policy.every_lines) == (32_000, 3)


def test_the_synthesis_page_keeps_its_own_settings(guest):
    guest.go(SYNTHESIS).app.slider(key="form_speed").set_value(0.8)
    guest.run().go(BATCH)
    assert guest.app.slider(key="batch_speed").value == 1.0


def test_the_voice_outlives_the_language_switch(guest, studio):
    guest.give()
    guest.app.selectbox(key="batch_voice").set_value("kumo")
    guest.run().choose_language("zh").begin()
    guest.finish()
    assert {each.voice for each in studio.engine.requests} == {"kumo"}


def test_a_line_is_heard_when_it_is_chosen(guest):
    guest.give().begin().finish()
    assert not guest.app.get("audio")
    guest.app.session_state["batch_chosen_row"] = (guest.batch_run.id, 0)
    guest.run()
    assert len(guest.app.get("audio")) == 1


def test_results_are_offered_once_nothing_runs(guest, studio):
    studio.engine.gate.clear()
    guest.give().begin()
    assert studio.engine.reached.wait(BOUND_S)
    assert not guest.run().app.get("link_button")
    studio.engine.gate.set()
    guest.finish()
    urls = [link.proto.url for link in guest.app.get("link_button")]
    assert [url.partition("?")[0].rpartition("/")[2] for url in urls] == [
        "results.zip",
        "manifest.jsonl",
        "report.html",
    ]


# -- all runs ----------------------------------------------------------------------------------


def test_any_session_can_watch_a_run(guest, studio):
    studio.engine.gate.clear()
    guest.give().begin()
    run_id = guest.batch_run.id
    other = Guest(BATCH)
    assert other.session.id != guest.session.id
    other.click(f"batch_offer_{run_id}")
    assert other.batch_run is guest.batch_run
    studio.engine.gate.set()
    other.finish()


def test_a_run_is_found_by_its_address(guest):
    guest.give().begin().finish()
    other = Guest(BATCH, query={"run": guest.batch_run.id})
    assert other.batch_run is guest.batch_run


def test_an_address_of_no_run_says_so_and_offers_a_new_one(visit):
    guest = Guest(BATCH, query={"run": "../../etc"})
    assert guest.app.error
    assert guest.app.file_uploader


def test_an_interrupted_run_is_offered_after_a_restart(settings, tmp_path):
    first = Studio(settings, CloningEngine)
    lines = b'{"text": "first"}\n{"text": "second"}\n'
    defaults = RunDefaults(voice="alpha")
    first_run = batches_of(first).create("a.jsonl", lines, read_batch(lines), defaults)
    first.engine.gate.clear()
    first_run.start()
    assert first.engine.reached.wait(BOUND_S)
    first.close()
    second = Studio(settings, CloningEngine)
    with use_studio(second):
        guest = Guest(BATCH).click(f"batch_offer_{first_run.id}")
        guest.click("batch_resume").finish()
        assert set(guest.states().values()) == {LineState.DONE}
    second.close()


def test_a_run_is_deleted_at_the_second_click(guest):
    run_id = guest.give().begin().finish().batch_run.id
    guest.click("batch_back").click(f"batch_remove_{run_id}")
    assert f"batch_show_{run_id}" in guest.button_keys()
    guest.click(f"batch_remove_{run_id}")
    assert f"batch_show_{run_id}" not in guest.button_keys()


@in_one_language
def test_a_run_that_cannot_be_read_says_so_beside_the_others_and_can_be_deleted(
    visit, studio, language
):
    guest = Guest(BATCH, language)
    good = guest.give().begin().finish().batch_run
    broken = good.store.folder.with_name("batch-20260101-000000-beef")
    shutil.copytree(good.store.folder, broken)
    spoil(broken / "run.db")
    guest.click("batch_back")
    (told,) = (shown(each.value) for each in guest.app.warning if broken.name in each.value)
    assert "run.db" in told
    assert f"batch_show_{good.id}" in guest.button_keys()
    guest.click(f"batch_remove_{broken.name}").click(f"batch_remove_{broken.name}")
    assert not broken.exists()
    assert guest.click(f"batch_show_{good.id}").batch_run is good


@in_one_language
def test_a_run_of_which_a_line_cannot_be_read_says_so_and_leaves_the_way_back(
    visit, studio, language
):
    guest = Guest(BATCH, language)
    run = guest.give().begin().finish().batch_run
    spoil(run.store.folder / "run.db", "UPDATE line SET line = 'no JSON'")
    guest.run()
    (told,) = {shown(each.value) for each in guest.app.error}
    assert "run.db" in told
    assert f"batch_remove_{run.id}" in guest.click("batch_back").button_keys()


def test_what_was_prepared_and_cannot_be_read_any_more_starts_anew(settings):
    with closing(Studio(settings, CloningEngine)) as first, use_studio(first):
        guest = Guest(BATCH)
        session_id = guest.give().session.id
        st.cache_resource.clear()
    (origin,) = settings.output_dir.rglob("origin.json")
    origin.write_text('{"name": ["a"], "amends": 7}', encoding="utf-8")
    with closing(Studio(settings, CloningEngine)) as second, use_studio(second):
        guest = Guest(BATCH, session_id=session_id)
        assert guest.session.id == session_id
        assert "batch_start" not in guest.button_keys()
        assert "batch_start" in guest.give().button_keys()
        st.cache_resource.clear()


# -- recordings --------------------------------------------------------------------------------


@pytest.fixture
def cloning(settings) -> Iterator[Studio]:
    """A studio whose engine clones, and whose pages can be visited."""
    with closing(Studio(settings, CloningEngine)) as studio, use_studio(studio):
        yield studio
        st.cache_resource.clear()


def test_recordings_are_uploaded_and_one_of_them_holds_for_all(cloning):
    guest = Guest(BATCH).give(b'{"text": "a"}\n{"text": "b", "prompt_audio": "bert.wav"}\n')
    guest.give_recordings({"anna.wav": WAV, "bert.wav": WAV})
    guest.app.selectbox(key="batch_reference").set_value("anna.wav")
    guest.run().checked().begin().finish()
    assert [each.reference.name for each in cloning.engine.requests] == ["anna.wav", "bert.wav"]


def test_own_settings_of_a_line_are_shown_as_a_file_writes_them(cloning):
    line = b'{"text": "a", "use_kv_cache": true, "prompt_audio": "anna.wav"}\n'
    guest = Guest(BATCH).give(line).give_recordings({"anna.wav": WAV}).checked()
    (own,) = (each.value["own"] for each in guest.app.dataframe if "own" in each.value)
    assert list(own) == ["use_kv_cache true · prompt_audio anna.wav"]


@in_one_language
def test_a_recording_that_could_be_better_gets_one_note_and_stops_nothing(cloning, language):
    lines = b'{"text": "a", "prompt_audio": "bert.wav"}\n' * 3
    guest = Guest(BATCH, language).give(lines)
    guest.give_recordings({"bert.wav": voice_wav(level=1.0)}).checked()
    assert guest.read().count(guest.words("voice.clipped", name="bert.wav")) == 1
    assert guest.words("batch.ready", count=3) in guest.read()
    assert not guest.app.button(key="batch_start").disabled


def test_of_many_notes_the_first_are_shown_and_the_rest_counted(cloning):
    names = [f"voice-{number}.wav" for number in range(8)]
    lines = "".join(json.dumps({"text": "a", "prompt_audio": name}) + "\n" for name in names)
    guest = Guest(BATCH).give(lines.encode())
    guest.give_recordings(dict.fromkeys(names, voice_wav(level=1.0))).checked()
    said = guest.read()
    shown = [guest.words("voice.clipped", name=name) in said for name in names]
    assert shown == [True] * 5 + [False] * 3
    assert guest.words("batch.hints_more", count=3) in said


def test_the_notice_of_misuse_is_shown_once_for_both_pages(cloning):
    guest = Guest(BATCH)
    notice = guest.words("form.notice").split("**")[1]
    assert notice in guest.read()
    assert notice not in guest.click("notice_read").read()
    assert notice not in guest.go(SYNTHESIS).read()
    assert "notice_read" not in Guest(BATCH, session_id=guest.session.id).button_keys()


def test_an_engine_that_cannot_clone_needs_no_notice(guest):
    assert "notice_read" not in guest.button_keys()


def test_an_engine_that_cannot_clone_says_so_and_asks_for_no_recording(guest):
    assert guest.words("batch.references_unused", engine="Scripted") in guest.read()
