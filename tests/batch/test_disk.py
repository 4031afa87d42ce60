"""A disk that is full, fills up or loses a run's folder: one sentence, and nothing is lost."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from glmtts_core.batch.registry import Batches, batches_of
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.run_files import DATABASE_FILE
from glmtts_core.batch.states import RunState
from glmtts_core.errors import StorageError
from glmtts_core.studio.studio import Studio
from tests.batch.runs import MoodyEngine, batch_of, ended, finish, lines, make_run, raw_of, states
from tests.full_disk import full_disk
from tests.waiting import wait_until

TEXTS = ("one", "two", "three", "four")


@pytest.fixture
def studio(settings) -> Iterator[Studio]:
    with closing(Studio(settings, MoodyEngine)) as opened:
        yield opened


def held_at_third(studio: Studio) -> BatchRun:
    """Return a run that has spoken two lines and waits amid the third."""
    run = make_run(studio, lines(*TEXTS))
    studio.engine.moods["three"] = lambda _: studio.engine.gate.clear()
    run.start()
    wait_until(lambda: run.view().counts.done == 2 and not studio.engine.gate.is_set())
    return run


def let_go(studio: Studio, run: BatchRun) -> str:
    """Let a held run end; return why it did."""
    studio.engine.moods.clear()
    studio.engine.gate.set()
    ended(run)
    reason = run.view().reason
    assert reason is not None
    assert "\n" not in reason.text("en")
    return reason.text("en")


# -- a full disk ---------------------------------------------------------------------------------


def test_a_correction_on_a_full_disk_changes_nothing(studio):
    run = make_run(studio, lines(*TEXTS))
    finish(run)
    good = lines("one", "zwei")
    with full_disk(), pytest.raises(StorageError, match="Free some space"):
        run.amend(raw_of(good), batch_of(good))
    assert [row.line.text for row in run.lines.rows()] == list(TEXTS)
    assert (states(run), run.view().state) == ("dddd", RunState.FINISHED)
    run.amend(raw_of(good), batch_of(good))
    finish(run)
    assert (states(run), studio.engine.spoken) == ("dd", [*TEXTS, "zwei"])


def test_what_cannot_be_written_down_has_not_happened(studio):
    run = make_run(studio, lines(*TEXTS))
    with full_disk():
        with pytest.raises(StorageError, match="Free some space"):
            run.cancel()
        with pytest.raises(StorageError, match="Free some space"):
            run.retry_failed()
    assert (run.view().state, states(run)) == (RunState.READY, "qqqq")


def test_a_run_is_shown_and_can_be_deleted_on_a_full_disk(studio, settings):
    run = make_run(studio, lines(*TEXTS))
    finish(run)
    with full_disk():
        others = Batches(studio)
        assert [each.counts.done for each in others.summaries()] == [4]
        assert others.run(run.id).view(fresh=True).state is RunState.FINISHED
        others.remove(run.id)
    assert not run.store.folder.exists()


@pytest.fixture
def small_disk(settings) -> Iterator[Path]:
    """Mount a disk of one MiB in the place of the output folder."""
    settings.output_dir.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", f"{settings.output_dir}"]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a disk")
    yield settings.output_dir
    subprocess.run(["umount", "--lazy", f"{settings.output_dir}"], check=True)


@pytest.mark.process
@pytest.mark.parametrize("free_kib", [0, 4, 8, 12, 16, 20, 32, 48, 64, 96])
def test_a_disk_that_really_fills_up_loses_nothing(settings, small_disk, free_kib):
    with closing(Studio(settings, MoodyEngine)) as studio:
        run = held_at_third(studio)
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(b"\0" * 4096)
        with filler.open("r+b") as file:
            file.truncate(filler.stat().st_size - free_kib * 1024)
        studio.engine.moods.clear()
        studio.engine.gate.set()
        ended(run)
        spoken_before = [row.line.text for row in run.lines.rows() if row.status.seconds]
        if (reason := run.view().reason) is not None:
            assert f"{run.store.folder} cannot be changed" in reason.text("en")
        filler.unlink()
        studio.engine.spoken.clear()
        finish(run)
        assert (states(run), run.view().state) == ("dddd", RunState.FINISHED)
        assert not set(studio.engine.spoken) & set(spoken_before)
        assert run.store.missing_sounds() == frozenset()
        assert not list(run.store.folder.rglob(".*.part"))


# -- a folder that goes --------------------------------------------------------------------------


def test_a_folder_that_was_taken_away_amid_the_run_and_is_put_back_has_lost_nothing(studio):
    run = held_at_third(studio)
    folder, elsewhere = run.store.folder, run.store.folder.parent.parent / "elsewhere"
    folder.rename(elsewhere)
    assert f"The folder {folder} is gone" in let_go(studio, run)
    elsewhere.rename(folder)
    assert states(run) == "ddqq"
    studio.engine.spoken.clear()
    finish(run)
    assert (states(run), sorted(studio.engine.spoken)) == ("dddd", ["four", "three"])


def test_a_database_that_was_taken_away_amid_the_run_and_is_put_back_has_lost_nothing(studio):
    run = held_at_third(studio)
    elsewhere = run.store.folder.parent.parent / "elsewhere"
    files = [run.store.folder / f"{DATABASE_FILE}{end}" for end in ("", "-wal", "-shm")]
    elsewhere.mkdir()
    for path in files:
        path.rename(elsewhere / path.name)
    assert DATABASE_FILE in let_go(studio, run)
    for path in elsewhere.iterdir():
        path.rename(run.store.folder / path.name)
    studio.engine.spoken.clear()
    again = batches_of(studio).open(run.store.folder)
    finish(again)
    assert (states(again), sorted(studio.engine.spoken)) == ("dddd", ["four", "three"])
