"""A run's folder: all of it or none, one holder at a time, nothing half written left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from glmtts_core.batch.creation import create_store

from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.store import RunStore, remove_store
from glmtts_core.batch_files.lines import LineProblem, RunDefaults
from glmtts_core.errors import BatchError, StorageError
from glmtts_core.message import Message
from tests.batch.runs import DEFAULTS, batch_of, lines, raw_of
from tests.full_disk import full_disk

PROBLEM = LineProblem(3, "", Message("batch.line.json", {"position": 1}), "{\ud800")
HOLDER = """
import sys
from pathlib import Path
from glmtts_core.batch.lock import RunLock
RunLock(Path(sys.argv[1]) / "lock")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "outputs" / "run"


def create(folder, good=None, references=None, defaults=DEFAULTS):
    good = lines("one", "two") if good is None else good
    batch = batch_of(good, [PROBLEM])
    policy = CleanupPolicy(every_lines=5)
    return create_store(folder, "in.jsonl", raw_of(good), batch, defaults, policy, references)


def test_what_was_put_in_is_read_back_from_the_folder_alone(folder):
    create(folder)
    store = RunStore(folder)
    assert store.lines() == lines("one", "two")
    # half a character is no text
    assert store.problems() == (replace(PROBLEM, excerpt="{?"),)
    assert store.input_path.read_bytes() == raw_of(lines("one", "two"))
    assert (store.header.name, store.header.defaults) == ("in.jsonl", DEFAULTS)
    assert store.header.policy == CleanupPolicy(every_lines=5)
    assert (store.header.lines, store.header.problems) == (2, 1)


def test_a_problem_is_kept_as_one_flat_object(folder):
    create(folder)
    assert json.loads((folder / "problems.jsonl").read_bytes()) == {
        "number": 3,
        "uttid": "",
        "key": "batch.line.json",
        "details": {"position": 1},
        "excerpt": "{\ud800",
    }


def test_a_second_run_does_not_go_over_the_first(folder):
    create(folder)
    with pytest.raises(BatchError, match="already"):
        create(folder)


def test_a_folder_without_a_header_is_no_run(folder):
    create(folder)
    (folder / "run.json").unlink()
    with pytest.raises(BatchError, match="no batch run"):
        RunStore(folder)


@pytest.mark.parametrize("name", ["run.json", "lines.jsonl", "problems.jsonl"])
def test_a_damaged_file_is_told_with_its_name(folder, name):
    create(folder)
    (folder / name).write_text("[1]\n")
    with pytest.raises(StorageError, match=name):
        RunStore(folder).lines()
        RunStore(folder).problems()


def test_a_full_disk_makes_no_run_and_is_told_in_one_sentence(folder):
    with full_disk(), pytest.raises(StorageError, match="cannot be changed"):
        create(folder)
    assert not (folder / "run.json").exists()
    create(folder)


def test_only_recordings_that_lines_name_are_taken_along(folder, tmp_path):
    source = tmp_path / "recordings"
    (source / "sub").mkdir(parents=True)
    for name in ("a.wav", "sub/b.wav", "unused.wav"):
        (source / name).write_bytes(name.encode())
    good = (
        *lines("one", prompt_audio="sub/b.wav"),
        lines("x")[0].changed(number=2, uttid="other", file_stem="other"),
    )
    store = create(folder, good, source, RunDefaults(reference_name="a.wav"))
    assert store.references.names() == ("a.wav", "sub/b.wav")
    assert store.references.read("sub/b.wav") == b"sub/b.wav"


def test_a_recording_outside_is_not_taken_along(folder, tmp_path):
    (tmp_path / "secret.wav").write_bytes(b"secret")
    source = tmp_path / "recordings"
    source.mkdir()
    with pytest.raises(BatchError):
        create(folder, lines("one", prompt_audio="../secret.wav"), source)


# -- sounds --------------------------------------------------------------------------------------


def test_a_sound_is_kept_under_the_lines_own_name(folder):
    store = create(folder)
    line = lines("one")[0]
    store.write_audio(line, b"RIFF")
    assert store.wav(line) == b"RIFF"
    assert store.audio_names() == {"a.wav"}


def test_a_sound_that_does_not_fit_on_the_disk_leaves_nothing(folder):
    store = create(folder)
    with full_disk(), pytest.raises(StorageError):
        store.write_audio(lines("one")[0], b"RIFF")
    assert list(store.audio_folder.iterdir()) == []


def test_what_a_dead_process_has_left_half_written_is_swept_away(folder):
    store = create(folder)
    store.write_audio(lines("one")[0], b"RIFF")
    (store.audio_folder / ".abcd1234.part").write_bytes(b"RI")
    (folder / ".abcd1234.part").write_bytes(b"{")
    (folder / ".mine.part").write_bytes(b"not ours")
    store.sweep()
    assert not list(folder.rglob(".abcd1234.part"))
    assert store.audio_names() == {"a.wav"}
    assert (folder / ".mine.part").exists()


# -- the lock ------------------------------------------------------------------------------------


def test_a_run_has_one_holder_at_a_time_in_a_process_too(folder):
    store = create(folder)
    lock = store.lock()
    assert store.locked
    with pytest.raises(BatchError, match="carried on"):
        RunStore(folder).lock()
    lock.release()
    assert not store.locked
    store.lock().release()


@pytest.mark.process
def test_another_process_keeps_this_one_out_until_it_dies(folder):
    store = create(folder)
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert store.locked
        with pytest.raises(BatchError):
            store.lock()
        holder.kill()
    store.lock().release()


def test_looking_whether_a_run_is_locked_makes_no_file(folder):
    store = create(folder)
    assert not store.locked
    assert not (folder / "lock").exists()


def test_a_run_can_be_deleted_unless_it_is_held(folder):
    store = create(folder)
    lock = store.lock()
    with pytest.raises(BatchError):
        remove_store(folder)
    lock.release()
    remove_store(folder)
    assert not folder.exists()
