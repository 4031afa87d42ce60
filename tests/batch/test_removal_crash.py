"""A process that is killed anywhere while it deletes a run leaves a whole run, or none at all.

The run is open in that process, as on a page that shows it. What is left without being a run goes
with the next start of the program, an hour later.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from glmtts_core.batch.intake import remove_run, run_in
from glmtts_core.batch.registry import Batches, batches_of
from glmtts_core.batch.run_files import DATABASE_FILE
from glmtts_core.errors import BatchError
from tests.batch.earlier import EarlierRun, half_done
from tests.batch.kill_moments import moments_of_death, stop_before_each_change
from tests.batch.runs import finish, states, studio_over

pytestmark = pytest.mark.process

TEXTS = {"a": "one", "b": "two", "c": "three", "d": "four"}
DONE = 2


def remove_opened(folder: Path) -> None:
    """Delete a run that a page shows."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with closing(studio_over(folder.parent)) as studio:
        shown = batches_of(studio).run(folder.name)
        stop_before_each_change(folder)
        batches_of(studio).remove(shown.id)


def remove_unopened(folder: Path) -> None:
    """Delete a run that nobody has opened."""
    stop_before_each_change(folder)
    remove_run(folder)


@pytest.fixture
def earlier(tmp_path, monkeypatch) -> EarlierRun:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return half_done(tmp_path / "outputs" / "batch-run", TEXTS, DONE)


def strangers(earlier: EarlierRun) -> dict[Path, bytes]:
    """Put files beside a run, and one that it links to; return what they hold."""
    outputs = earlier.folder.parent
    EarlierRun(outputs / "batch-other", TEXTS).state("running")
    (outputs / "mine.txt").write_text("mine")
    (outputs.parent / "song.wav").write_bytes(b"RIFF")
    (earlier.folder / "audio" / "song.wav").symlink_to(outputs.parent / "song.wav")
    files = (path for path in outputs.parent.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if earlier.folder not in path.parents}


def assert_whole(folder: Path) -> None:
    """Expect a run that can be finished, without speaking again what was done."""
    with closing(studio_over(folder.parent)) as studio:
        run = batches_of(studio).run(folder.name)
        assert states(run) == "d" * DONE + "q" * (len(TEXTS) - DONE)
        finish(run)
        assert states(run) == "d" * len(TEXTS)
        assert sorted(studio.engine.spoken) == sorted(list(TEXTS.values())[DONE:])


def assert_removable(folder: Path) -> None:
    """Expect that what is left can be deleted, or goes by itself."""
    with closing(studio_over(folder.parent)) as studio:
        batches = batches_of(studio)
        if run_in(folder):
            batches.remove(folder.name)
        else:
            os.utime(folder, (0, 0))
            Batches(studio)
        assert batches.listing().unreadable == ()
    assert not folder.exists()


def test_a_deletion_killed_anywhere_leaves_a_whole_run_or_none(earlier, tmp_path):
    before, left_whole, left_none = strangers(earlier), 0, 0
    copy = tmp_path / "left" / "batch-run"
    for left in moments_of_death(earlier.folder, copy, remove_opened):
        assert {path: path.read_bytes() for path in before} == before
        kept = shutil.copytree(left, tmp_path / "kept" / "batch-run", symlinks=True)
        if (left / DATABASE_FILE).exists():
            assert_whole(left)
            left_whole += 1
        else:
            assert not run_in(left)
            left_none += 1
        assert_removable(kept)
    assert not earlier.folder.exists()
    assert {path: path.read_bytes() for path in before} == before
    assert left_whole > 2
    assert left_none > len(TEXTS)


def test_an_earlier_run_killed_anywhere_in_its_deletion_can_be_deleted(earlier, tmp_path):
    unreadable = 0
    for left in moments_of_death(earlier.folder, tmp_path / "left" / "batch-run", remove_unopened):
        if (left / "run.json").exists():
            assert_whole(shutil.copytree(left, tmp_path / "kept" / "batch-run"))
            shutil.rmtree(tmp_path / "kept")
        elif run_in(left):
            with closing(studio_over(left.parent)) as studio:
                (found,) = batches_of(studio).listing().unreadable
                assert isinstance(found.error, BatchError)
            unreadable += 1
        assert_removable(left)
    assert unreadable == 1
    assert not earlier.folder.exists()
