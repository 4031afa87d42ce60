"""Results on disk: nothing half-written is listed, nothing spoken is lost without a word."""

from __future__ import annotations

import io
import subprocess
import sys
import wave
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from glmtts_core.errors import StorageError
from glmtts_core.sessions.history import MAX_UNSAVED_RESULTS
from glmtts_core.sessions.result_files import session_folder
from glmtts_core.sessions.studio_database import StudioDatabase
from glmtts_core.speech import ReferenceAudio, SynthesisRequest
from tests.full_disk import full_disk
from tests.sessions.histories import numbers, opened, save
from tests.speaking import ANNA, result
from tests.waiting import BOUND_S


@pytest.fixture
def folder(tmp_path):
    return session_folder(tmp_path, ANNA)


@pytest.fixture
def history(tmp_path):
    return opened(tmp_path)


# -- storing -----------------------------------------------------------------------------------


def test_a_session_that_has_spoken_nothing_lists_nothing(history):
    assert (history.list().records, history.list().unreadable) == ((), ())


def test_a_result_is_listed_with_what_was_asked_and_what_it_cost(history):
    record = save(history, "你好")
    assert history.list().records == (record,)
    assert (record.text, record.voice, record.engine) == ("你好", "alpha", "Scripted")
    assert (record.seconds, record.audio_s, record.rtf) == (0.5, 1.0, 0.5)
    assert record.memory_cost.growth_bytes == 10 * 2**20


def test_the_audio_comes_back_as_it_was_stored(history):
    record = save(history)
    with wave.open(io.BytesIO(history.wav(record.number))) as file:
        assert (file.getframerate(), file.getnframes()) == (24_000, 24_000)


def test_a_cloned_voice_is_remembered_by_its_recordings_name(history):
    reference = ReferenceAudio(np.zeros(10, np.float32), 16_000, "anna.wav", "hello")
    asked = SynthesisRequest(text="hello", voice=None, reference=reference)
    assert history.save(asked, result(), "GLM-TTS").voice == "anna.wav"


def test_the_newest_result_is_listed_first(history):
    for _ in range(3):
        save(history)
    assert numbers(history) == [3, 2, 1]


def test_a_restarted_program_finds_everything(history, tmp_path):
    record = save(history)
    assert opened(tmp_path).list().records == (record,)


def test_audio_without_length_has_no_finite_real_time_factor(history):
    assert save(history).model_copy(update={"audio_s": 0.0}).rtf == float("inf")


def test_results_of_two_threads_get_numbers_of_their_own(history):
    with ThreadPoolExecutor(4) as threads:
        given = list(threads.map(lambda _: save(history).number, range(12)))
    assert sorted(given) == list(range(1, 13))
    assert numbers(history) == list(range(12, 0, -1))


# -- numbers -----------------------------------------------------------------------------------


def test_the_number_of_a_deleted_result_is_not_used_again(history):
    save(history)
    history.delete(save(history).number)
    assert save(history).number == 3


def test_the_number_of_a_deleted_result_is_not_used_again_after_a_restart(history, tmp_path):
    save(history)
    history.delete(save(history).number)
    assert save(opened(tmp_path)).number == 3


@pytest.mark.process
def test_no_number_is_given_twice_whatever_moment_the_process_is_killed_at(tmp_path):
    command = [sys.executable, "-m", "tests.sessions.history_child", str(tmp_path)]
    subprocess.run(command, check=True, timeout=2 * BOUND_S)
    killed = list(tmp_path.glob("*.given"))
    for given in killed:
        restarted = opened(tmp_path / given.stem)
        listed = numbers(restarted)
        assert all(restarted.wav(number).startswith(b"RIFF") for number in listed)
        seen = {int(line) for line in given.read_text().split()} | set(listed)
        assert save(restarted).number not in seen, f"killed before change {given.stem}"
    assert len(killed) > 80


def test_deleting_what_never_was_uses_up_no_number(history):
    history.delete(99)
    assert save(history).number == 1


def test_the_oldest_results_go_when_there_are_more_than_may_be_kept(tmp_path, folder):
    history = opened(tmp_path, max_results=2)
    for _ in range(4):
        save(history)
    assert numbers(history) == [4, 3]
    assert sorted(path.name for path in folder.glob("*.wav")) == ["000003.wav", "000004.wav"]


# -- deleting ----------------------------------------------------------------------------------


def test_a_deleted_result_is_gone_from_list_and_disk(history, folder):
    record = save(history)
    history.delete(record.number)
    assert numbers(history) == []
    assert not list(folder.glob("*.wav")) + list(folder.glob("*.json"))


def test_deleting_twice_is_no_error(history):
    record = save(history)
    history.delete(record.number)
    history.delete(record.number)


def test_a_result_that_cannot_be_deleted_says_so(history, folder):
    (folder / "000001.json").mkdir(parents=True)
    with pytest.raises(StorageError) as refused:
        history.delete(1)
    assert str(folder) in str(refused.value)


def test_a_full_disk_does_not_keep_a_result_from_being_deleted(history):
    record = save(history)
    with full_disk():
        history.delete(record.number)
    assert numbers(history) == []


def test_the_audio_of_a_deleted_result_is_refused_with_a_sentence(history):
    record = save(history)
    history.delete(record.number)
    with pytest.raises(StorageError, match=r"000001\.wav cannot be read"):
        history.wav(record.number)


# -- after a crash -----------------------------------------------------------------------------


def test_a_crash_while_the_audio_was_written_leaves_no_entry(history, tmp_path, folder):
    save(history)
    (folder / ".abc123.part").write_bytes(b"RIFF half a file")
    again = opened(tmp_path)
    assert (numbers(again), again.list().unreadable) == ([1], ())


# -- a disk that refuses -----------------------------------------------------------------------


def test_a_result_that_the_disk_refuses_is_listed_playable_and_says_why(history, folder):
    first = save(history)
    with full_disk():
        record = save(history)
    assert "too large" in record.unsaved_reason.text("en")
    assert history.list().records == (record, first)
    assert history.wav(record.number).startswith(b"RIFF")
    assert [path.name for path in folder.iterdir()] == ["000001.wav"]


def test_so_is_one_for_which_no_database_can_be_made(history, tmp_path):
    with full_disk():
        record = save(history)
    assert record.unsaved_reason.key == "storage.write"
    assert (history.list().records, history.list().error) == ((record,), None)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_made_is_a_refusal_too(tmp_path):
    (tmp_path / "sessions").write_bytes(b"a file where the folder should be")
    history = opened(tmp_path)
    assert save(history).unsaved_reason
    assert numbers(history) == [1]


def test_audio_whose_row_cannot_be_written_does_not_stay_on_the_disk(tmp_path, history, folder):
    save(history)
    with StudioDatabase(tmp_path).transaction() as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON result BEGIN SELECT json('disk full'); END"
        )
    assert save(history).unsaved_reason
    assert [path.name for path in folder.glob("*.wav")] == ["000001.wav"]


def test_results_go_to_the_disk_again_as_soon_as_it_takes_them(history, folder):
    with full_disk():
        save(history)
    assert save(history).unsaved_reason == ""
    assert numbers(history) == [2, 1]
    assert (folder / "000002.wav").is_file()


def test_only_the_last_unsaved_results_stay_in_memory(history):
    with full_disk():
        for _ in range(MAX_UNSAVED_RESULTS + 2):
            save(history)
    assert numbers(history) == list(range(MAX_UNSAVED_RESULTS + 2, 2, -1))


def test_an_unsaved_result_can_be_deleted(history):
    with full_disk():
        record = save(history)
    history.delete(record.number)
    assert numbers(history) == []
