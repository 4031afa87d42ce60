"""Ids of sessions: only those that were given out, and only in the browser they were given to."""

from __future__ import annotations

from pathlib import Path

import pytest

from glmtts_core.sessions.ids import SessionIds
from glmtts_core.sessions.result_files import SESSION_ID_PATTERN

CHROME, FIREFOX = "c" * 64, "f" * 64


@pytest.fixture
def ids(tmp_path: Path) -> SessionIds:
    return SessionIds(tmp_path)


def test_every_id_is_another_and_names_a_folder(ids):
    given = {ids.issue(CHROME) for _ in range(100)}
    assert len(given) == 100
    assert all(SESSION_ID_PATTERN.fullmatch(each) for each in given)


def test_an_id_is_known_in_its_own_browser_only(ids):
    given = ids.issue(CHROME)
    assert ids.issued(given, CHROME)
    assert not ids.issued(given, FIREFOX)
    assert not ids.issued(given, "")


@pytest.mark.parametrize(
    "never", ["", "0" * 32, "a" * 32, "../../etc", "é" * 32, "\ud800", "0" * 16]
)
def test_an_id_that_was_never_given_out_is_not_known(ids, never):
    assert not ids.issued(never, CHROME)


def test_no_digit_of_an_id_can_be_changed(ids):
    given = ids.issue(CHROME)
    for place, digit in enumerate(given):
        other = "0" if digit != "0" else "1"
        assert not ids.issued(given[:place] + other + given[place + 1 :], CHROME)


def test_a_restart_knows_the_ids_of_before(ids, tmp_path):
    given = ids.issue(CHROME)
    assert SessionIds(tmp_path).issued(given, CHROME)


def test_another_installation_does_not(ids, tmp_path):
    assert not SessionIds(tmp_path / "other").issued(ids.issue(CHROME), CHROME)


def test_a_key_that_cannot_be_read_just_now_is_left_for_the_next_start(ids, tmp_path):
    given = ids.issue(CHROME)
    key = tmp_path / "sessions" / "session-key"
    away = key.rename(tmp_path / "away")
    key.mkdir()
    meanwhile = SessionIds(tmp_path)
    assert not meanwhile.issued(given, CHROME)
    assert meanwhile.issued(meanwhile.issue(CHROME), CHROME)
    key.rmdir()
    away.rename(key)
    assert SessionIds(tmp_path).issued(given, CHROME)


def test_only_its_user_can_read_the_key(ids, tmp_path):
    ids.issue(CHROME)
    assert (tmp_path / "sessions" / "session-key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 33])
def test_a_damaged_key_is_replaced(ids, tmp_path, damage):
    before = ids.issue(CHROME)
    (tmp_path / "sessions" / "session-key").write_bytes(damage)
    after = SessionIds(tmp_path)
    assert not after.issued(before, CHROME)
    assert SessionIds(tmp_path).issued(after.issue(CHROME), CHROME)


def test_a_folder_that_cannot_be_written_keeps_nobody_from_working(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    ids = SessionIds(tmp_path / "file" / "outputs")
    assert ids.issued(ids.issue(CHROME), CHROME)
