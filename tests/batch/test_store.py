"""A run's folder: what is read back from it, its sounds, and what is swept."""

from __future__ import annotations

import pytest

from glmtts_core.batch.run_files import run_lock
from glmtts_core.batch.store import RunStore
from glmtts_core.errors import BatchError, StorageError
from tests.batch.runs import finish, lines, make_run, spoil
from tests.full_disk import full_disk


@pytest.fixture
def store(studio) -> RunStore:
    return make_run(studio, lines("one", "two")).store


def test_a_folder_without_a_database_is_no_run(store):
    store.database_path.unlink()
    with pytest.raises(BatchError, match=r"run\.db is gone"):
        RunStore(store.folder)


def test_a_sound_is_kept_under_the_lines_own_name(store):
    line = lines("one")[0]
    changed_ns = store.write_audio(line, b"RIFF")
    assert store.wav(line) == b"RIFF"
    assert store.audio_path(line).stat().st_mtime_ns == changed_ns
    assert store.audio_names() == {"a.wav"}


def test_a_sound_that_does_not_fit_on_the_disk_leaves_nothing(store):
    with full_disk(), pytest.raises(StorageError):
        store.write_audio(lines("one")[0], b"RIFF")
    assert list(store.audio_folder.iterdir()) == []


def test_what_a_dead_process_has_left_half_written_is_swept_away(store):
    store.write_audio(lines("one")[0], b"RIFF")
    (store.audio_folder / ".abcd1234.part").write_bytes(b"RI")
    (store.folder / ".abcd1234.part").write_bytes(b"{")
    (store.folder / ".mine.part").write_bytes(b"not ours")
    assert store.sweep() == []
    assert not list(store.folder.rglob(".abcd1234.part"))
    assert store.audio_names() == {"a.wav"}
    assert (store.folder / ".mine.part").exists()


def test_a_copied_folder_has_all_its_sounds_though_their_times_are_others(studio):
    run = make_run(studio, lines("one", "two"))
    finish(run)
    assert run.store.missing_sounds() == frozenset()
    for path in run.store.audio_folder.iterdir():
        path.touch()
    assert run.store.missing_sounds() == frozenset()
    run.store.audio_path(lines("one")[0]).write_bytes(b"RIFF")
    assert run.store.missing_sounds() == {0}


def test_a_database_that_was_put_back_from_a_copy_is_read_again(store):
    kept = store.database_path.read_bytes()
    store.database_path.unlink()
    with pytest.raises(BatchError):
        store.database.header()
    store.database_path.write_bytes(kept)
    assert store.database.header().name == "in.jsonl"


def test_a_stem_that_leads_out_of_the_folder_removes_nothing(store):
    outside = store.folder / "precious.wav"
    outside.write_bytes(b"RIFF")
    spoil(store.database_path, "INSERT INTO sound (file_stem) VALUES ('../precious')")
    with run_lock(store.folder):
        store.sweep()
    assert outside.exists()
