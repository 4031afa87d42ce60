"""Files are written whole or not at all."""

from __future__ import annotations

import os
import time

import pytest

from glmtts_core.files import clear_old_folders, write_whole
from tests.full_disk import full_disk


def test_the_folder_is_made_where_it_is_missing(tmp_path):
    write_whole(tmp_path / "new" / "deeper" / "file", b"data")
    assert (tmp_path / "new" / "deeper" / "file").read_bytes() == b"data"


def test_a_file_that_was_there_is_replaced(tmp_path):
    (tmp_path / "file").write_bytes(b"a longer text than the new one")
    write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(tmp_path):
    write_whole(tmp_path / "file", b"old")
    with full_disk(), pytest.raises(OSError, match="too large"):
        write_whole(tmp_path / "file", bytes(10_000))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_target_that_cannot_be_replaced_leaves_no_temporary_file(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        write_whole(tmp_path / "file", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_folders_in_which_nothing_was_added_for_long_are_cleared(tmp_path):
    for name, age_days in (("old", 8), ("new", 6)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "file").touch()
        then_s = time.time() - 86_400 * age_days
        os.utime(folder, (then_s, then_s))
    (tmp_path / "file").touch()
    assert clear_old_folders([*tmp_path.iterdir(), tmp_path / "gone"], 7.0) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "new"]
