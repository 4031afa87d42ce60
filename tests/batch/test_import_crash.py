"""A process that is killed anywhere while it takes over an earlier run leaves that as it was.

Opening it again takes it over, and nothing is spoken again that was done.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from glmtts_core.batch.registry import batches_of
from glmtts_core.batch.run_files import DATABASE_FILE
from glmtts_core.batch.states import RunState
from glmtts_core.batch.store import RunStore
from tests.batch.earlier import EarlierRun, earlier_files, half_done
from tests.batch.kill_moments import moments_of_death, stop_before_each_change
from tests.batch.runs import finish, states, studio_over

pytestmark = pytest.mark.process

TEXTS = {"a": "one", "b": "two", "c": "three", "d": "four"}


def take_over(folder: Path) -> None:
    """Open a run as a page does that shows it."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    stop_before_each_change(folder)
    RunStore(folder).close()


@pytest.fixture
def earlier(tmp_path, monkeypatch) -> EarlierRun:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    earlier = half_done(tmp_path / "batch-run", TEXTS, done=2)
    earlier.correct({**TEXTS, "b": "zwei"})
    earlier.state("running")
    earlier.done("b")
    earlier.running("c")
    return earlier


def assert_finished_in_place(folder: Path, before: dict[str, bytes]) -> None:
    """Expect that what waits is spoken, and nothing else; and that nothing else changes."""
    with closing(studio_over(folder.parent)) as studio:
        run = batches_of(studio).open(folder)
        assert (run.view().state, states(run)) == (RunState.INTERRUPTED, "ddqq")
        finish(run)
        assert (states(run), sorted(studio.engine.spoken)) == ("dddd", ["four", "three"])
    after = earlier_files(folder)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"audio/c.wav", "audio/d.wav"}


def test_an_import_killed_anywhere_can_be_done_again(earlier, tmp_path):
    before, not_yet, taken_over = earlier_files(earlier.folder), 0, 0
    for left in moments_of_death(earlier.folder, tmp_path / "left" / "batch-run", take_over):
        there = (left / DATABASE_FILE).exists()
        not_yet, taken_over = not_yet + (not there), taken_over + there
        found = {name: held for name, held in earlier_files(left).items() if name in before}
        assert found == before
        assert_finished_in_place(left, before)
    assert not_yet > 3
    assert taken_over > 0
    assert earlier_files(earlier.folder) == before
    assert_finished_in_place(earlier.folder, before)
