"""A folder of the earlier layout: taken over once, beside the old files, which stay as they are."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from glmtts_core import database_connection
from glmtts_core.sessions.history import SessionHistory
from glmtts_core.sessions.result_files import session_folder, wav_path
from glmtts_core.sessions.studio_database import StudioDatabase
from tests.forked import forked
from tests.sessions.histories import earlier_record, numbers, opened, save, write_earlier
from tests.speaking import ANNA, BERT
from tests.waiting import BOUND_S


@pytest.fixture
def folder(tmp_path) -> Path:
    """A session of an earlier version, with two results; number 3 was deleted."""
    return write_earlier(tmp_path, 1, 2, last=3)


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rows_of(root: Path, session_id: str = ANNA) -> list[int]:
    statement = "SELECT number FROM result WHERE session = ? ORDER BY number"
    return [number for (number,) in StudioDatabase(root).rows(statement, (session_id,))]


# -- what is taken over ------------------------------------------------------------------------


def test_looking_lists_earlier_results_and_writes_nothing(tmp_path, folder):
    before = bytes_in(folder)
    history = opened(tmp_path)
    assert numbers(history) == [2, 1]
    assert history.wav(2).startswith(b"RIFF")
    assert history.list().records[0].model_dump_json() == earlier_record(2)
    assert (bytes_in(folder), list(tmp_path.iterdir())) == (before, [tmp_path / "sessions"])


def test_the_first_saved_result_takes_the_earlier_ones_over_and_leaves_their_files(
    tmp_path, folder
):
    before, listed = bytes_in(folder), opened(tmp_path).list()
    assert save(opened(tmp_path)).number == 4
    assert rows_of(tmp_path) == [1, 2, 4]
    after = bytes_in(folder)
    assert after.pop("000004.wav")
    assert after == before
    assert opened(tmp_path).list().records[1:] == listed.records


def test_what_was_taken_over_is_not_read_from_its_file_again(tmp_path, folder):
    save(opened(tmp_path))
    (folder / "000001.json").write_text(earlier_record(1, text="changed"), encoding="utf-8")
    again = opened(tmp_path)
    save(again)
    assert again.list().records[-1].text == "你好"
    assert rows_of(tmp_path) == [1, 2, 4, 5]


def test_a_result_that_was_deleted_does_not_come_back_from_its_record(tmp_path, folder):
    opened(tmp_path).delete(2)
    again = opened(tmp_path)
    assert save(again).number == 4
    assert numbers(again) == [4, 1]
    assert sorted(bytes_in(folder)) == [
        "000001.json", "000001.wav", "000004.wav", "last_number",
    ]  # fmt: skip


def test_other_sessions_are_taken_over_when_they_speak(tmp_path, folder):
    write_earlier(tmp_path, 5, session_id=BERT)
    save(opened(tmp_path))
    assert (rows_of(tmp_path), rows_of(tmp_path, BERT)) == ([1, 2, 4], [])
    assert save(opened(tmp_path, BERT)).number == 6


def test_a_record_without_its_sound_is_taken_over_too(tmp_path, folder):
    (folder / "000001.wav").unlink()
    save(opened(tmp_path))
    assert rows_of(tmp_path) == [1, 2, 4]


def test_the_size_of_earlier_sounds_counts(tmp_path, folder):
    size = (folder / "000001.wav").stat().st_size
    save(opened(tmp_path))
    statement = "SELECT sound_bytes FROM result WHERE number = 1"
    assert StudioDatabase(tmp_path).rows(statement) == [(size,)]


# -- what cannot be read -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"{}",
        b"\xff\xfe",
        b'{"number": 2}',
        pytest.param(earlier_record(2, memory={}).encode(), id="without its cost"),
        pytest.param(earlier_record(1).encode(), id="with another number"),
    ],
)
def test_a_damaged_record_is_named_and_keeps_no_other_from_being_listed(tmp_path, folder, damaged):
    (folder / "000002.json").write_bytes(damaged)
    before = bytes_in(folder)
    for _ in range(2):
        listing = opened(tmp_path).list()
        assert [record.number for record in listing.records][-1] == 1
        assert listing.unreadable == ("000002.json",)
        save(opened(tmp_path))
    # neither the record nor its sound is touched, and its number is not given again
    assert before.items() <= bytes_in(folder).items()
    assert rows_of(tmp_path) == [1, 4, 5]


def test_the_number_of_an_unreadable_record_is_not_given_again(tmp_path):
    folder = session_folder(tmp_path, ANNA)
    folder.mkdir(parents=True)
    (folder / "000007.json").write_bytes(b"{")
    assert save(opened(tmp_path)).number == 8


def test_a_row_that_cannot_be_read_is_named_and_keeps_no_other_from_being_listed(tmp_path):
    history = opened(tmp_path)
    for _ in range(3):
        save(history)
    with StudioDatabase(tmp_path).transaction() as connection:
        connection.execute("UPDATE result SET memory = '{}' WHERE number = 2")
    assert numbers(history) == [3, 1]
    assert history.list().unreadable == ("000002",)


@pytest.mark.parametrize("damage", [b"", b"\xff", b"-3", b"9" * 5_000, b"3\n", "٣".encode()])
def test_a_damaged_last_number_is_passed_over(tmp_path, folder, damage):
    (folder / "last_number").write_bytes(damage)
    assert save(opened(tmp_path)).number == 3


@pytest.mark.parametrize("number", ["999999999999", "1000000000", "999999999"])
def test_a_number_that_nobody_reaches_keeps_no_result_from_being_saved(tmp_path, folder, number):
    (folder / "last_number").write_text(number, encoding="ascii")
    (folder / f"{number}.wav").write_bytes(b"")
    assert save(opened(tmp_path)).number == 3


def test_a_folder_without_a_last_number_keeps_the_number_of_what_is_deleted(tmp_path, folder):
    (folder / "last_number").unlink()
    opened(tmp_path).delete(2)
    assert save(opened(tmp_path)).number == 3


def test_what_else_lies_in_the_folder_is_no_result(tmp_path):
    folder = session_folder(tmp_path, ANNA)
    folder.mkdir(parents=True)
    (folder / "form.json").write_text("{}", encoding="utf-8")
    (folder / "²³.wav").write_bytes(b"")
    history = opened(tmp_path)
    assert (save(history).number, history.list().unreadable) == (1, ())
    assert (folder / "²³.wav").exists()


# -- sounds that nothing lists -----------------------------------------------------------------


def orphan(root: Path, number: int) -> Path:
    """Write a sound without a row or a record."""
    path = wav_path(session_folder(root, ANNA), number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"audio that nothing lists")
    return path


def test_a_pending_sound_goes_where_its_row_is_not_there_and_its_number_stays_used(tmp_path):
    save(opened(tmp_path))
    left = orphan(tmp_path, 2).rename(session_folder(tmp_path, ANNA) / "000002.pending")
    again = opened(tmp_path)
    assert numbers(again) == [1]
    assert save(again).number == 3
    assert not left.exists()
    assert wav_path(left.parent, 1).exists()


def test_a_pending_sound_is_that_of_its_row_before_and_after_it_is_settled(tmp_path):
    save(opened(tmp_path))
    sound = wav_path(session_folder(tmp_path, ANNA), 1)
    spoken = sound.read_bytes()
    sound.rename(sound.with_suffix(".pending"))
    again = opened(tmp_path)
    assert (numbers(again), again.wav(1)) == ([1], spoken)
    save(again)
    assert sound.read_bytes() == again.wav(1) == spoken
    assert not sound.with_suffix(".pending").exists()


def test_an_older_database_that_is_put_back_costs_no_sound_and_no_number(tmp_path):
    database = StudioDatabase(tmp_path)
    history = SessionHistory(database, ANNA, max_results=50, max_bytes=2**40)
    save(history)
    database.close()
    copy = (tmp_path / "studio.db").read_bytes()
    for _ in range(3):
        save(history)
    database.close()
    (tmp_path / "studio.db").write_bytes(copy)
    for number in (5, 6):
        assert save(opened(tmp_path)).number == number
    sounds = {path.name for path in session_folder(tmp_path, ANNA).glob("*.wav")}
    assert sounds == {f"{number:06d}.wav" for number in range(1, 7)}
    assert numbers(opened(tmp_path)) == [6, 5, 1]


def test_a_database_that_goes_while_two_programs_save_costs_no_sound_and_no_number(tmp_path):
    one, other = opened(tmp_path), opened(tmp_path)
    given = [save(each).number for each in (one, other, other, other)]
    for path in tmp_path.glob("studio.db*"):
        path.unlink()
    given += [save(each).number for each in (one, other, one)]
    assert given == [1, 2, 3, 4, 5, 6, 7]
    assert len(list(session_folder(tmp_path, ANNA).glob("*.wav"))) == 7


def test_a_number_that_was_given_while_the_database_was_busy_is_not_given_again(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(database_connection, "_BUSY_S", 0.05)
    one, other = opened(tmp_path), opened(tmp_path)
    assert (save(one).number, save(other).number) == (1, 2)
    with StudioDatabase(tmp_path).transaction():
        unsaved = save(one)
    assert (unsaved.number, bool(unsaved.unsaved_reason)) == (3, True)
    assert save(other).number == 4
    assert numbers(one) == [4, 3, 2, 1]


def test_audio_that_a_crash_left_without_a_row_is_not_overwritten(tmp_path):
    left = orphan(tmp_path, 7)
    assert save(opened(tmp_path)).number == 8
    assert left.read_bytes() == b"audio that nothing lists"


def test_sounds_stay_when_the_database_was_moved_away(tmp_path):
    history = opened(tmp_path)
    for _ in range(2):
        save(history)
    (tmp_path / "studio.db").rename(tmp_path / "damaged.db")
    for number in (3, 4):
        assert save(opened(tmp_path)).number == number
    sounds = {path.name for path in session_folder(tmp_path, ANNA).glob("*.wav")}
    assert sounds == {f"{number:06d}.wav" for number in (1, 2, 3, 4)}


# -- a process that is killed amid, and several ------------------------------------------------


def _be_killed_at_the_second_row(root: Path) -> None:
    rows = itertools.count(1)

    def watch(statement: str) -> None:
        if statement.startswith("INSERT INTO result") and next(rows) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    def connect(*arguments: Any, **more: Any) -> sqlite3.Connection:
        connection = unwatched(*arguments, **more)
        connection.set_trace_callback(watch)
        return connection

    unwatched, sqlite3.connect = sqlite3.connect, connect
    save(opened(root))


@pytest.mark.process
def test_a_process_killed_amid_the_import_leaves_all_of_it_to_the_next(tmp_path, folder):
    before = bytes_in(folder)
    child = forked(_be_killed_at_the_second_row, tmp_path)
    child.join(BOUND_S)
    assert child.exitcode == -signal.SIGKILL
    assert (rows_of(tmp_path), bytes_in(folder)) == ([], before)
    assert numbers(opened(tmp_path)) == [2, 1]
    assert save(opened(tmp_path)).number == 4
    assert rows_of(tmp_path) == [1, 2, 4]


def _save_some(root: Path, many: int) -> None:
    history = opened(root)
    for _ in range(many):
        assert not save(history).unsaved_reason


@pytest.mark.process
def test_two_programs_that_open_an_earlier_folder_at_once_take_it_over_once(tmp_path, folder):
    programs = [forked(_save_some, tmp_path, 10) for _ in range(2)]
    for each in programs:
        each.join(BOUND_S)
    assert [each.exitcode for each in programs] == [0, 0]
    assert rows_of(tmp_path) == [1, 2, *range(4, 24)]
    assert len(list(folder.glob("*.wav"))) == 22


def test_a_session_with_nothing_to_take_over_is_not_written(tmp_path):
    save(opened(tmp_path))
    database = StudioDatabase(tmp_path)
    before = database.version()
    opened(tmp_path, BERT).delete(1)
    assert database.version() == before
