"""Folders of sessions: where they are, and which of them are cleared."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from glmtts_core.sessions import result_files
from glmtts_core.sessions.result_files import clear_old_sessions, session_folder
from glmtts_core.sessions.studio_database import StudioDatabase
from tests.sessions.histories import numbers, opened, save
from tests.speaking import ANNA, BERT

DAY_S = 86_400
NOBODY = frozenset[str]()


def clear(root: Path, open_ids: frozenset[str] = NOBODY) -> int:
    return clear_old_sessions(StudioDatabase(root), 7, open_ids)


def aged_session(root: Path, session_id: str, days: float) -> Path:
    """Return the folder of a session that was used last so many days ago."""
    folder = session_folder(root, session_id)
    save(opened(root, session_id))
    then_s = time.time() - days * DAY_S
    os.utime(folder, (then_s, then_s))
    with StudioDatabase(root).transaction() as connection:
        connection.execute("UPDATE session SET last_used_s = ? WHERE id = ?", (then_s, session_id))
    return folder


def known_ids(root: Path) -> list[str]:
    return [each for (each,) in StudioDatabase(root).rows("SELECT id FROM session ORDER BY id")]


@pytest.mark.parametrize(
    "session_id",
    ["", "..", "../" * 3, "/etc", ANNA.upper(), ANNA[:-1], ANNA + "a", ANNA + "\n", f"{ANNA}/x"],
)
def test_what_is_no_session_id_leads_to_no_folder(tmp_path, session_id):
    with pytest.raises(ValueError, match="session id"):
        session_folder(tmp_path, session_id)


def test_session_folders_untouched_for_too_long_are_cleared(tmp_path):
    old, fresh = aged_session(tmp_path, ANNA, 8), aged_session(tmp_path, BERT, 6)
    assert clear(tmp_path) == 1
    assert (old.exists(), fresh.exists()) == (False, True)


def test_so_are_their_rows(tmp_path):
    aged_session(tmp_path, ANNA, 8)
    aged_session(tmp_path, BERT, 6)
    clear(tmp_path)
    assert StudioDatabase(tmp_path).rows("SELECT session FROM result") == [(BERT,)]


def test_the_last_number_of_a_cleared_session_stays_known(tmp_path):
    aged_session(tmp_path, ANNA, 8)
    clear(tmp_path)
    assert save(opened(tmp_path)).number == 2


def test_of_very_many_cleared_sessions_only_the_last_ones_are_known(tmp_path, monkeypatch):
    monkeypatch.setattr(result_files, "_MOST_SESSIONS", 3)
    ids = [f"{number:032x}" for number in range(6)]
    for days, session_id in enumerate(ids, 8):
        aged_session(tmp_path, session_id, days)
    clear(tmp_path)
    assert known_ids(tmp_path) == ids[:3]


def test_rows_go_with_a_folder_that_the_user_removed_though_it_was_used_just_now(tmp_path):
    shutil.rmtree(aged_session(tmp_path, ANNA, 0))
    aged_session(tmp_path, BERT, 0)
    clear(tmp_path)
    assert StudioDatabase(tmp_path).rows("SELECT session FROM result") == [(BERT,)]


def test_results_outlast_a_start_without_the_disk_that_their_sounds_are_on(tmp_path):
    aged_session(tmp_path, ANNA, 6)
    with StudioDatabase(tmp_path).transaction() as connection:
        connection.execute("UPDATE session SET last_used_s = 0")
    (tmp_path / "sessions").rename(tmp_path / "elsewhere")
    assert clear(tmp_path) == 0
    assert numbers(opened(tmp_path)) == []
    (tmp_path / "elsewhere").rename(tmp_path / "sessions")
    assert numbers(opened(tmp_path)) == [1]


def test_an_old_session_that_is_open_is_kept(tmp_path):
    folder = aged_session(tmp_path, ANNA, 8)
    assert clear(tmp_path, frozenset({ANNA})) == 0
    assert folder.exists()
    assert known_ids(tmp_path) == [ANNA]


def test_a_session_whose_folder_the_user_removed_lists_nothing_and_reuses_no_number(tmp_path):
    folder = aged_session(tmp_path, ANNA, 1)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    clear(tmp_path)
    again = opened(tmp_path)
    assert numbers(again) == []
    assert save(again).number == 2


def test_folders_that_are_no_sessions_are_never_cleared(tmp_path):
    other = tmp_path / "sessions" / "my music"
    other.mkdir(parents=True)
    os.utime(other, (0, 0))
    assert clear(tmp_path) == 0
    assert other.exists()


def test_a_link_to_elsewhere_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_bytes(b"data")
    os.utime(elsewhere, (0, 0))
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions" / ANNA).symlink_to(elsewhere, target_is_directory=True)
    clear(tmp_path)
    assert (elsewhere / "precious").exists()


def test_clearing_where_nothing_was_ever_spoken_makes_nothing(tmp_path):
    assert clear(tmp_path / "outputs") == 0
    assert not (tmp_path / "outputs").exists()


def test_clearing_where_nothing_is_old_writes_nothing(tmp_path):
    aged_session(tmp_path, ANNA, 1)
    database = StudioDatabase(tmp_path)
    before = database.version()
    clear(tmp_path)
    assert database.version() == before
