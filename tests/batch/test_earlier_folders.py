"""Folders of the earlier layout as such: damage, a full disk, and that they stay as they were."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from glmtts_core.batch.registry import batches_of
from glmtts_core.batch.run_files import DATABASE_FILE, run_lock
from glmtts_core.batch.states import RunCounts, RunState
from glmtts_core.batch.store import RunStore
from glmtts_core.errors import BatchError, GLMTTSError, StorageError
from tests.batch.earlier import EarlierRun, earlier_files, half_done, json_lines
from tests.batch.runs import finish, states
from tests.batch.test_earlier_layout import TEXTS, opened, spoken, standing_of
from tests.full_disk import full_disk


@pytest.fixture
def earlier(settings) -> EarlierRun:
    return EarlierRun(settings.output_dir / "batch-earlier", TEXTS)


# -- damage --------------------------------------------------------------------------------------


def test_a_torn_last_entry_counts_as_not_written(studio, earlier):
    earlier.state("running")
    earlier.done("a")
    earlier.tear()
    assert states(opened(studio, earlier)) == "dqq"


def test_without_a_journal_no_sound_is_taken_for_a_lines_own(studio, earlier):
    earlier.state("running")
    earlier.done("a")
    earlier.journal.unlink()
    run = opened(studio, earlier)
    assert (states(run), run.view().standing.lost) == ("qqq", 1)
    finish(run)
    assert spoken(studio) == ["one", "two", "three"]
    assert run.view().standing.lost == 0


def test_a_journal_without_a_header_is_told_in_one_sentence(earlier):
    earlier.state("running")
    (earlier.folder / "run.json").unlink()
    refused(earlier, BatchError, "its run.json is gone")


@pytest.mark.parametrize(
    "damage",
    [
        b"\0" * 40 + b"\n",
        b'{"at": 1700000001.0}\n',
        b'{"at": 1700000001.0, "line": "a"}\n',
        b'{"at": 1700000001.0, "run": "hibernating"}\n',
        b'{"at": 1700000001.0, "line": "a", "hash": "0", "state": "done", "mood": "good"}\n',
        b'{"at": 1700000001.0, "line": "a", "hash": "0", "state": "done", "file": "../a"}\n',
    ],
)
def test_a_damaged_entry_is_told_with_its_place_and_nothing_is_written(earlier, damage):
    earlier.state("running")
    with earlier.journal.open("ab") as file:
        file.write(damage)
    earlier.done("a")
    refused(earlier, StorageError, rf"{earlier.journal}:2\b")


@pytest.mark.parametrize("name", ["run.json", "lines.jsonl", "problems.jsonl"])
def test_a_file_that_is_gone_or_cut_is_named(earlier, name):
    earlier.state("running")
    path = earlier.folder / name
    whole = path.read_bytes() or json_lines([{}])
    path.write_bytes(whole[: len(whole) // 2])
    refused(earlier, StorageError, name)
    path.unlink()
    refused(earlier, GLMTTSError, name)


def refused(earlier: EarlierRun, kind: type[GLMTTSError], sentence: str) -> None:
    """Expect one sentence, twice the same, and nothing changed."""
    before = earlier_files(earlier.folder)
    for _ in range(2):
        with pytest.raises(kind, match=sentence) as error:
            RunStore(earlier.folder)
        assert "\n" not in str(error.value)
    assert earlier_files(earlier.folder) == before
    assert not (earlier.folder / DATABASE_FILE).exists()
    assert not list(earlier.folder.glob(".*.part"))


def test_a_full_disk_is_told_in_one_sentence_and_the_next_opening_succeeds(studio, earlier):
    earlier.state("running")
    earlier.done("a")
    with full_disk():
        refused(earlier, StorageError, "Free some space")
    assert states(opened(studio, earlier)) == "dqq"


# -- the folder ----------------------------------------------------------------------------------


def test_the_earlier_files_stay_as_they_were(studio, settings):
    earlier = half_done(settings.output_dir / "batch-earlier", TEXTS, done=1)
    earlier.correct({"a": "one", "b": "zwei", "c": "three"})
    before = earlier_files(earlier.folder)
    run = opened(studio, earlier)
    finish(run)
    assert spoken(studio) == ["zwei", "three"]
    after = earlier_files(earlier.folder)
    assert {name: after[name] for name in before} == before


def test_an_earlier_run_is_taken_over_once(earlier):
    earlier.state("running")
    with closing(RunStore(earlier.folder)):
        pass
    identity = (earlier.folder / DATABASE_FILE).stat().st_ino
    earlier.done("a")
    assert standing_of(earlier).counts == RunCounts(queued=3)
    assert (earlier.folder / DATABASE_FILE).stat().st_ino == identity


def test_a_run_that_an_earlier_version_carries_on_is_left_alone(earlier):
    earlier.state("running")
    with run_lock(earlier.folder):
        refused(earlier, BatchError, "batch-earlier")
    assert standing_of(earlier).state is RunState.INTERRUPTED


def test_a_journal_that_another_database_has_left_is_not_taken_for_the_new_ones(earlier):
    earlier.state("running")
    earlier.done("a")
    path = earlier.folder / DATABASE_FILE
    with closing(RunStore(earlier.folder)):
        pass
    journal = leftover_journal(path, "UPDATE run SET state = 'hibernating'")
    path.unlink()
    Path(f"{path}-wal").write_bytes(journal)
    assert standing_of(earlier).counts == RunCounts(queued=2, done=1)


def leftover_journal(path: Path, change: str) -> bytes:
    """Return what a process that was killed after a change leaves beside its database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(change)
        return Path(f"{path}-wal").read_bytes()


def test_the_list_of_runs_shows_earlier_ones(studio, earlier):
    earlier.state("running")
    earlier.done("a", "b", "c")
    earlier.state("finished")
    header = json.loads((earlier.folder / "run.json").read_text())
    (listed,) = batches_of(studio).summaries()
    assert (listed.id, listed.state, listed.counts) == (
        "batch-earlier",
        RunState.FINISHED,
        RunCounts(done=3),
    )
    assert listed.name == header["name"]
    batches_of(studio).remove("batch-earlier")
    assert not earlier.folder.exists()
