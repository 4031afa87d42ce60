"""The form and the recording of a session outlive a reload, a crash and a disk that refuses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from glmtts_core.sessions.saved_form import BatchForm, Form, SavedForm
from tests.full_disk import full_disk


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "session"


@pytest.fixture
def saved_form(folder):
    return SavedForm(folder)


def test_a_new_session_has_an_empty_form_and_no_recording(saved_form, folder):
    assert (saved_form.form, saved_form.reference()) == (Form(), None)
    assert not folder.exists()


def test_what_was_typed_is_there_after_a_restart(saved_form, folder):
    assert saved_form.keep(text="你好", speed=1.2) == ""
    assert SavedForm(folder).form == Form(text="你好", speed=1.2)


def test_a_change_of_one_field_leaves_the_others(saved_form):
    saved_form.keep(text="hello", voice="alpha")
    saved_form.keep(text="")
    assert saved_form.form == Form(text="", voice="alpha")


def test_the_batch_page_has_fields_of_its_own(saved_form, folder):
    saved_form.keep(voice="alpha")
    assert saved_form.keep_batch(voice="kumo", clean_every=True) == ""
    saved_form.keep_batch(every_lines=5)
    kept = SavedForm(folder).form
    assert kept.voice == "alpha"
    assert kept.batch == BatchForm(voice="kumo", clean_every=True, every_lines=5)


def test_fields_changed_by_two_threads_at_once_are_both_kept(saved_form, folder):
    changes = [{"text": "hello"}, {"voice": "alpha"}, {"speed": 1.5}, {"sample_rate_hz": 32_000}]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda change: saved_form.keep(**change), changes))
    kept = Form(text="hello", voice="alpha", speed=1.5, sample_rate_hz=32_000)
    assert SavedForm(folder).form == kept


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b'{"unheard_of": 1}', b'{"speed": "fast"}'])
def test_a_damaged_form_starts_anew(saved_form, folder, damaged):
    folder.mkdir()
    (folder / "form.json").write_bytes(damaged)
    assert saved_form.form == Form()


def test_a_form_that_cannot_be_read_is_kept_beside_the_new_one(saved_form, folder):
    saved_form.keep(text="hello")
    newer = (folder / "form.json").read_bytes().replace(b"{", b'{"emotion": "glad", ', 1)
    (folder / "form.json").write_bytes(newer)
    SavedForm(folder).keep(text="good day")
    assert SavedForm(folder).form.text == "good day"
    assert (folder / "form-unreadable.txt").read_bytes() == newer


def test_a_full_disk_is_told_and_the_form_holds_all_the_same(saved_form):
    with full_disk():
        assert "too large" in saved_form.keep(text="hello")
    assert saved_form.form.text == "hello"


def test_what_the_disk_refused_is_still_told_when_nothing_has_changed_since(saved_form):
    with full_disk():
        saved_form.keep(text="hello")
        assert "too large" in saved_form.keep(text="hello")


def test_what_the_disk_refused_is_written_as_soon_as_it_can_be(saved_form, folder):
    with full_disk():
        saved_form.keep(text="hello")
    assert saved_form.keep(text="hello") == ""
    assert SavedForm(folder).form.text == "hello"


def test_a_recording_is_there_after_a_restart(saved_form, folder):
    assert saved_form.keep_reference(b"RIFF...", "anna.wav") == ""
    again = SavedForm(folder)
    assert (again.reference(), again.form.reference_name) == (b"RIFF...", "anna.wav")


def test_a_new_recording_of_the_same_name_replaces_the_old_one(saved_form):
    saved_form.keep_reference(b"first", "anna.wav")
    saved_form.keep_reference(b"second", "anna.wav")
    assert saved_form.reference() == b"second"


def test_a_recording_that_the_disk_refuses_is_told_and_not_named(saved_form):
    with full_disk():
        assert "too large" in saved_form.keep_reference(bytes(1000), "anna.wav")
    assert (saved_form.form.reference_name, saved_form.reference()) == (None, None)


def test_a_recording_whose_file_is_gone_is_none(saved_form, folder):
    saved_form.keep_reference(b"RIFF...", "anna.wav")
    (folder / "reference.audio").unlink()
    assert saved_form.reference() is None


def test_a_dropped_recording_is_gone_from_form_and_disk(saved_form, folder):
    saved_form.keep_reference(b"RIFF...", "anna.wav")
    saved_form.drop_reference()
    assert (saved_form.reference(), saved_form.form.reference_name) == (None, None)
    assert not (folder / "reference.audio").exists()


def test_dropping_where_there_is_no_recording_is_no_error(saved_form):
    saved_form.drop_reference()


def test_a_recording_whose_file_cannot_be_removed_is_forgotten_all_the_same(saved_form, folder):
    saved_form.keep_reference(b"RIFF...", "anna.wav")
    (folder / "reference.audio").unlink()
    (folder / "reference.audio").mkdir()
    saved_form.drop_reference()
    assert saved_form.form.reference_name is None


def test_the_transcript_stays_when_the_recording_goes(saved_form):
    saved_form.keep_reference(b"RIFF...", "anna.wav")
    saved_form.keep(reference_transcript="hello")
    saved_form.drop_reference()
    assert saved_form.form.reference_transcript == "hello"
