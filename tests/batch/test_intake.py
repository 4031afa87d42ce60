"""Making a run's folder: all of it or none, over nobody else's files; and deleting it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from glmtts_core.batch.intake import create_run, remove_run, run_in
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.run_files import run_lock
from glmtts_core.batch.store import RunStore
from glmtts_core.batch_files.lines import LineProblem, RunDefaults
from glmtts_core.errors import BatchError, StorageError
from glmtts_core.message import Message
from tests.batch.runs import DEFAULTS, batch_of, lines, raw_of
from tests.full_disk import full_disk

PROBLEM = LineProblem(3, "", Message("batch.line.json", {"position": 1}), "{\ud800")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "outputs" / "run"


def create(folder, good=None, references=None, defaults=DEFAULTS) -> RunStore:
    good = lines("one", "two") if good is None else good
    batch = batch_of(good, [PROBLEM])
    policy = CleanupPolicy(every_lines=5)
    create_run(folder, "in.jsonl", raw_of(good), batch, defaults, policy, references)
    return RunStore(folder)


def test_what_was_put_in_is_read_back_from_the_folder_alone(folder):
    store = create(folder)
    found = store.database
    assert tuple(row.line for row in found.rows()) == lines("one", "two")
    # half a character is no text
    assert found.problems() == (replace(PROBLEM, excerpt="{?"),)
    assert store.input_path.read_bytes() == raw_of(lines("one", "two"))
    header = found.header()
    assert (header.name, header.defaults) == ("in.jsonl", DEFAULTS)
    assert header.policy == CleanupPolicy(every_lines=5)
    counts = found.standing().counts
    assert (counts.queued, counts.set_aside) == (2, 1)


def test_a_second_run_does_not_go_over_the_first(folder):
    create(folder)
    with pytest.raises(BatchError, match="already"):
        create(folder)


def test_a_full_disk_makes_no_run_and_is_told_in_one_sentence(folder):
    with full_disk(), pytest.raises(StorageError, match="cannot be changed"):
        create(folder)
    assert not run_in(folder)
    create(folder)


@pytest.mark.parametrize("name", ["manifest.jsonl", "audio/a.wav", "input-1/x", "input.jsonl"])
def test_a_folder_with_files_that_a_run_would_take_for_its_own_is_refused(folder, name):
    path = folder / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"precious")
    with pytest.raises(BatchError, match=name.partition("/")[0]):
        create(folder)
    assert path.read_bytes() == b"precious"


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


def test_a_run_can_be_deleted_unless_it_is_held(folder):
    create(folder)
    with run_lock(folder), pytest.raises(BatchError):
        remove_run(folder)
    remove_run(folder)
    assert not folder.exists()
