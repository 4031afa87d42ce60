"""A process that is killed anywhere while it deletes a run leaves a whole run, or none at all.

What is left of one that is none any more goes with the next start of the program.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from glmtts_core.batch.intake import remove_run
from glmtts_core.batch.registry import batches_of
from tests.batch.earlier import EarlierRun, half_done
from tests.batch.kill_moments import moments_of_death, stop_before_each_change
from tests.batch.runs import finish, states, studio_over

pytestmark = pytest.mark.process

TEXTS = {"a": "one", "b": "two", "c": "three", "d": "four"}
DONE = 2
RUN = "batch-run"


def remove_opened(outputs: Path) -> None:
    """Delete a run that a page shows."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with closing(studio_over(outputs)) as studio:
        shown = batches_of(studio).run(RUN)
        stop_before_each_change(outputs)
        batches_of(studio).remove(shown.id)


def remove_unopened(outputs: Path) -> None:
    """Delete a run that nobody has opened."""
    stop_before_each_change(outputs)
    remove_run(outputs / RUN)


@pytest.fixture
def earlier(tmp_path, monkeypatch) -> EarlierRun:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return half_done(tmp_path / "outputs" / RUN, TEXTS, DONE)


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


@pytest.mark.parametrize("remove", [remove_opened, remove_unopened])
def test_a_deletion_killed_anywhere_leaves_a_whole_run_or_none(earlier, tmp_path, remove):
    outputs = earlier.folder.parent
    before, left_whole, left_none = strangers(earlier), 0, 0
    for left in moments_of_death(outputs, tmp_path / "left", remove):
        assert {path: path.read_bytes() for path in before} == before
        if (left / RUN).exists():
            assert_whole(left / RUN)
            left_whole += 1
        else:
            with closing(studio_over(left)) as studio:
                listing = batches_of(studio).listing()
            assert (len(listing.runs), listing.unreadable) == (1, ())
            names = {path.name for path in left.iterdir()}
            assert names - {"studio.db", "sessions"} == {"batch-other", "mine.txt"}
            left_none += 1
    assert not earlier.folder.exists()
    assert {path: path.read_bytes() for path in before} == before
    assert left_whole >= 1
    assert left_none > len(TEXTS)
