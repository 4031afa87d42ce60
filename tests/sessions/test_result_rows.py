"""Results as rows: what comes back, and what goes when the sounds take too much."""

from __future__ import annotations

import random

import pytest

from glmtts_core.sessions.result_files import session_folder, wav_path
from glmtts_core.sessions.result_rows import (
    beyond_bytes,
    beyond_count,
    deleting,
    stored_results,
)
from glmtts_core.sessions.studio_database import StudioDatabase
from tests.sessions.histories import numbers, opened, save
from tests.speaking import ANNA, BERT, CLARA, request, result

#: Bytes of the sound of one second that `save` stores.
SOUND = 48_044


@pytest.fixture
def database(tmp_path) -> StudioDatabase:
    return StudioDatabase(tmp_path)


def sounds(root, session_id: str) -> list[str]:
    return sorted(path.name for path in session_folder(root, session_id).glob("*.wav"))


def test_every_value_of_a_result_comes_back(database, tmp_path):
    asked = request("你好", second_voice="kumo", speed=1.5, seed=2**32 - 1)
    record = opened(tmp_path).save(asked, result(), "Scripted", rehearsed=True)
    assert stored_results(database, ANNA) == ({1: record}, frozenset())
    assert (record.second_voice, record.speed, record.seed) == ("kumo", 1.5, 2**32 - 1)


def test_deleting_rows_that_are_not_there_writes_nothing(database, tmp_path):
    save(opened(tmp_path))
    before = database.version()
    for session_id, number in ((ANNA, 2), (BERT, 1)):
        with deleting(database, session_id, number):
            pass
    assert database.version() == before


def test_the_oldest_of_a_session_are_those_with_the_lowest_numbers(database, tmp_path):
    history = opened(tmp_path)
    for _ in range(4):
        save(history)
    assert sorted(beyond_count(database, ANNA, 3)) == [(ANNA, 1)]
    assert sorted(beyond_count(database, ANNA, 2)) == [(ANNA, 1), (ANNA, 2)]
    assert beyond_count(database, BERT, 0) == []


# -- by bytes ----------------------------------------------------------------------------------


def test_the_size_of_a_sound_is_that_of_its_file(database, tmp_path):
    save(opened(tmp_path))
    assert database.rows("SELECT sound_bytes FROM result") == [(SOUND,)]
    assert wav_path(session_folder(tmp_path, ANNA), 1).stat().st_size == SOUND


def test_the_oldest_sounds_of_all_sessions_go_when_they_take_too_much(tmp_path):
    anna, bert, clara = (
        opened(tmp_path, each, max_bytes=3 * SOUND) for each in (ANNA, BERT, CLARA)
    )
    for history in (anna, bert, bert, clara):
        save(history)
    assert [numbers(each) for each in (anna, bert, clara)] == [[], [2, 1], [1]]
    save(anna)
    assert [numbers(each) for each in (anna, bert, clara)] == [[2], [2], [1]]
    assert [sounds(tmp_path, each) for each in (ANNA, BERT)] == [["000002.wav"]] * 2


def test_a_result_larger_than_all_that_may_be_kept_is_kept_alone(tmp_path):
    history = opened(tmp_path, max_bytes=SOUND)
    save(history)
    history.save(request(), result(audio_s=5.0), "Scripted")
    assert numbers(history) == [2]
    save(history)
    assert numbers(history) == [3]


def test_whatever_is_spoken_the_sounds_stay_within_their_bound(database, tmp_path):
    drawn = random.Random(7)
    histories = [opened(tmp_path, each, max_bytes=6 * SOUND) for each in (ANNA, BERT, CLARA)]
    for _ in range(60):
        spoken = result(audio_s=drawn.uniform(0.1, 3.0))
        record = drawn.choice(histories).save(request(), spoken, "Scripted")
        assert not record.unsaved_reason
        kept = sum(path.stat().st_size for path in tmp_path.rglob("*.wav"))
        assert kept <= 6 * SOUND
        assert database.rows("SELECT total(sound_bytes) FROM result") == [(float(kept),)]


def test_nothing_goes_where_all_fits(database, tmp_path):
    save(opened(tmp_path))
    save(opened(tmp_path, BERT))
    assert beyond_bytes(database, 2 * SOUND, keep=(BERT, 1)) == []
    assert beyond_bytes(database, 2 * SOUND - 1, keep=(BERT, 1)) == [(ANNA, 1)]
    assert beyond_bytes(database, 0, keep=(ANNA, 1)) == [(BERT, 1)]
