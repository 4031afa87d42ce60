"""`studio.db`: made when something is written, left untouched where it cannot be trusted."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from glmtts_core.database import Database
from glmtts_core.errors import StorageError
from glmtts_core.sessions.event_log import EventLimits, EventLog
from glmtts_core.sessions.events import EngineLoss
from glmtts_core.sessions.studio_database import StudioDatabase
from glmtts_core.sessions.studio_schema import EVENT_TABLES, SCHEMA
from tests.sessions.happenings import engine_loss
from tests.sessions.histories import numbers, opened, save

AGED = "UPDATE session SET first_used_s = first_used_s - 1"
COUNT = "SELECT count(*) FROM session"


@pytest.fixture
def database(tmp_path) -> Iterator[StudioDatabase]:
    with closing(StudioDatabase(tmp_path)) as opened_database:
        yield opened_database


@pytest.fixture
def used(database, tmp_path) -> StudioDatabase:
    """A database that a result was written to."""
    save(opened(tmp_path))
    return database


def write(database: StudioDatabase) -> None:
    with database.transaction() as connection:
        connection.execute(AGED)


def refusal(database: StudioDatabase) -> str:
    """Return the key of the sentence with which both reading and writing are refused."""
    with pytest.raises(StorageError) as reading:
        database.rows(COUNT)
    with pytest.raises(StorageError) as writing:
        write(database)
    assert reading.value.message == writing.value.message
    return reading.value.message.key


def test_reading_makes_no_file(database, tmp_path):
    assert database.rows(COUNT) == []
    assert database.version() == (0, 0)
    assert list(tmp_path.iterdir()) == []


def test_reading_where_there_is_no_folder_makes_none(tmp_path):
    assert StudioDatabase(tmp_path / "outputs").rows(COUNT) == []
    assert not (tmp_path / "outputs").exists()


def test_writing_makes_folder_and_file(tmp_path):
    with closing(StudioDatabase(tmp_path / "new" / "outputs")) as database:
        write(database)
        assert database.rows(COUNT) == [(0,)]
    assert [path.name for path in (tmp_path / "new" / "outputs").iterdir()] == ["studio.db"]


def test_the_file_holds_sessions_results_and_events(used):
    tables = {name for (name,) in used.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert tables - {"sqlite_sequence"} == {"session", "result", *EVENT_TABLES}


def test_the_version_differs_once_something_was_written_and_only_then(used, tmp_path):
    before = used.version()
    assert used.version() == before
    write(used)
    own = used.version()
    write(StudioDatabase(tmp_path))
    assert len({before, own, used.version()}) == 3


def test_a_closed_database_opens_anew(used):
    used.rows(COUNT)
    used.close()
    write(used)
    assert used.rows(COUNT) == [(1,)]


# -- a file that was removed -------------------------------------------------------------------


def test_a_folder_that_is_deleted_meanwhile_is_made_anew(used, tmp_path):
    write(used)
    used.rows(COUNT)
    shutil.rmtree(tmp_path)
    assert used.rows(COUNT) == []
    write(used)
    assert used.rows(COUNT) == [(0,)]


def test_no_result_is_unsaved_and_no_number_given_twice_when_the_outputs_are_deleted(tmp_path):
    root = tmp_path / "outputs"
    history = opened(root)
    save(history)
    save(history)
    shutil.rmtree(root)
    assert (numbers(history), history.list().error) == ([], None)
    record = save(history)
    assert (record.number, record.unsaved_reason, numbers(history)) == (3, "", [3])
    assert save(opened(root)).number == 4


def test_who_notices_late_that_the_file_is_gone_does_not_close_the_new_one(used, monkeypatch):
    write(used)
    used.path.unlink()
    close, opened_anew = used._close, []

    def late(wanted: Callable[[Database], bool]) -> None:
        # another thread was quicker and is at work with the new file
        monkeypatch.undo()
        write(used)
        opened_anew.append(used._writer)
        close(wanted)

    monkeypatch.setattr(used, "_close", late)
    write(used)
    assert opened_anew[0].rows(COUNT) == [(0,)]


def test_another_file_in_its_place_is_read(used, tmp_path):
    used.rows(COUNT)
    write(used)
    with closing(StudioDatabase(tmp_path / "other")) as other:
        write(other)
    (tmp_path / "other" / "studio.db").replace(tmp_path / "studio.db")
    assert used.rows(COUNT) == [(0,)]


def test_a_database_of_the_first_version_keeps_all_and_learns_of_engines_that_were_lost(tmp_path):
    path = tmp_path / "studio.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {SCHEMA.application_id}")
        for statement in SCHEMA.migrations[0]:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    save(opened(tmp_path))
    with closing(StudioDatabase(tmp_path)) as database:
        log = EventLog(database, EventLimits(max_age_days=7))
        log.add(engine_loss())
        assert [each.engine for each in log.recent(EngineLoss)] == ["Scripted"]
        assert database.rows("SELECT count(*) FROM result") == [(1,)]


# -- a file that cannot be used ----------------------------------------------------------------


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(SCHEMA.migrations) + 1}")
        connection.commit()


def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[:16] = b"not a database!!"
    path.write_bytes(data)


def of_another_kind(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipe (cake TEXT)")


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        (newer, "database.newer"),
        (damaged, "database.damaged"),
        (of_another_kind, "database.damaged"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_sentence_and_left_untouched(used, spoil, key):
    used.close()
    spoil(used.path)
    before = used.path.read_bytes()
    assert refusal(used) == key
    assert refusal(used) == key
    used.close()
    assert used.path.read_bytes() == before


def test_what_was_put_right_works_again(used):
    write(used)
    used.close()
    kept = used.path.read_bytes()
    damaged(used.path)
    refusal(used)
    used.path.write_bytes(kept)
    write(used)
    assert used.rows(COUNT) == [(1,)]


def test_a_folder_where_the_file_should_be_is_told_and_left_alone(database):
    database.path.mkdir()
    assert refusal(database) == "database.damaged"
    assert database.path.is_dir()


def test_a_file_where_the_folder_should_be_is_told_when_something_is_written(tmp_path):
    (tmp_path / "outputs").write_bytes(b"")
    database = StudioDatabase(tmp_path / "outputs")
    assert database.rows(COUNT) == []
    with pytest.raises(StorageError) as refused:
        write(database)
    assert refused.value.message.key == "storage.write"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_can_be_looked_at(used, tmp_path):
    used.close()
    tmp_path.chmod(0o500)
    try:
        assert used.rows(COUNT) == [(1,)]
        with pytest.raises(StorageError):
            write(used)
    finally:
        tmp_path.chmod(0o700)
