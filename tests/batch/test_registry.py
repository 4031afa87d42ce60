"""The runs of a studio: found by every session, listed cheaply, closed in order."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from glmtts_core.batch import earlier_layout, registry
from glmtts_core.batch.registry import Batches, batches_of
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.run_files import is_locked
from glmtts_core.batch.states import RunState
from glmtts_core.batch.store import RunStore
from glmtts_core.batch_files.lines import RunDefaults
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.errors import BatchError, RequestError, StorageError, SynthesisCancelled
from glmtts_core.studio.studio import Studio
from tests.batch.earlier import half_done
from tests.batch.runs import ended, finish, lines, make_run
from tests.full_disk import full_disk
from tests.scripted_engine import ScriptedEngine
from tests.speaking import ANNA, request
from tests.waiting import BOUND_S


@pytest.fixture
def batches(studio) -> Batches:
    return batches_of(studio)


def test_every_caller_reaches_the_same_runs(studio, batches):
    run = make_run(studio, lines("one"))
    assert batches_of(studio) is batches
    assert batches.run(run.id) is run


def test_a_run_lies_in_a_folder_of_its_own_beside_the_sessions(studio, settings):
    run = make_run(studio, lines("one"))
    assert run.store.folder.parent == settings.output_dir
    studio.submit(ANNA, request()).wait(BOUND_S)
    folders = {path.name for path in settings.output_dir.iterdir() if path.is_dir()}
    assert folders == {run.id, "sessions"}


def test_runs_are_listed_newest_first_with_state_and_counts(studio, batches):
    old = make_run(studio, lines("one"))
    finish(old)
    new = make_run(studio, lines("one", "two"))
    told = [(each.id, each.state, each.counts.done) for each in batches.summaries()]
    assert told == [(new.id, RunState.READY, 0), (old.id, RunState.FINISHED, 1)]


def test_runs_of_an_earlier_process_are_listed_without_being_opened(studio, settings):
    finish(make_run(studio, lines("one", "two")))
    make_run(studio, lines("one")).cancel()
    fresh = Batches(studio)
    told = [(each.state, each.counts.done, each.counts.skipped) for each in fresh.summaries()]
    assert told == [(RunState.CANCELLED, 0, 1), (RunState.FINISHED, 2, 0)]
    assert not fresh._open


@pytest.mark.parametrize("name", ["run.db", "run.json"])
def test_a_run_that_cannot_be_read_hides_no_other(studio, batches, settings, name):
    make_run(studio, lines("one"))
    broken = settings.output_dir / "broken"
    broken.mkdir()
    (broken / name).write_text("{")
    assert len(batches.summaries()) == 1


@pytest.mark.parametrize("run_id", ["", ".", "..", "../x", "a/b", "/etc", "x\0", "nothing"])
def test_no_id_leads_out_of_the_output_folder(batches, run_id):
    with pytest.raises(BatchError, match="no batch run"):
        batches.run(run_id)


@pytest.mark.parametrize(
    "run_id", ["x" * 5_000, "字" * 100, "a\nb", "a\0b", "\ud800", "\udcff", "a file", "sessions"]
)
def test_an_odd_id_is_no_run_and_is_told_shortly(batches, settings, run_id):
    (settings.output_dir / "sessions").mkdir(parents=True)
    (settings.output_dir / "a file").touch()
    for ask in (batches.run, batches.remove):
        with pytest.raises(BatchError) as refused:
            ask(run_id)
        told = str(refused.value)
        assert "There is no batch run" in told
        assert (len(told) < 300, told.isprintable()) == (True, True)


@pytest.mark.parametrize(
    "defaults",
    [
        {"voice": "nobody"},
        {"engine": "Nobody"},
        {"sample_rate_hz": 44_100},
        {"sampling": "dice"},
        {"history": True},
        {"voice": None, "reference_name": "anna.wav"},
    ],
    ids=str,
)
def test_a_run_is_not_made_with_what_its_engine_cannot_do(batches, settings, defaults):
    raw = b'{"text": "one", "voice": "alpha", "speed": 1.0, "sample_rate": 24000}'
    wrong = RunDefaults(voice="alpha").changed(**defaults)
    with pytest.raises(RequestError):
        batches.create("in.jsonl", raw, read_batch(raw), wrong)
    assert not list(settings.output_dir.glob("batch-*"))


def test_what_goes_on_is_known(studio, batches):
    run = make_run(studio, lines("one"))
    assert batches.active() == ()
    studio.engine.gate.clear()
    run.start()
    assert batches.active() == (run,)
    studio.engine.gate.set()
    ended(run)
    assert batches.active() == ()


def test_a_run_goes_on_though_nobody_holds_it(studio, batches):
    run_id = make_run(studio, lines("one")).id
    batches.run(run_id).start()
    ended(batches.run(run_id))
    assert batches.run(run_id).view().counts.done == 1


def test_a_run_can_be_deleted_but_not_while_it_goes_on(studio, batches):
    run = make_run(studio, lines("one"))
    studio.engine.gate.clear()
    run.start()
    with pytest.raises(BatchError):
        batches.remove(run.id)
    studio.engine.gate.set()
    ended(run)
    batches.remove(run.id)
    assert batches.summaries() == ()
    with pytest.raises(BatchError):
        batches.run(run.id)


def test_a_run_may_lie_anywhere(studio, batches, tmp_path):
    run = make_run(studio, lines("one"), folder=tmp_path / "elsewhere")
    finish(run)
    assert batches.open(tmp_path / "elsewhere") is run
    assert batches.summaries() == ()


def test_closing_interrupts_all_runs_and_opens_no_new_one(settings):
    with closing(Studio(settings, ScriptedEngine)) as studio:
        studio.engine.gate.clear()
        runs = [make_run(studio, lines("one")) for _ in range(2)]
        for run in runs:
            run.start()
    assert [run.view().state for run in runs] == [RunState.INTERRUPTED] * 2
    assert not any(is_locked(run.store.folder) for run in runs)
    with pytest.raises(SynthesisCancelled):
        batches_of(studio)


def test_a_run_that_cannot_be_made_leaves_no_folder(studio, settings):
    settings.output_dir.mkdir(exist_ok=True)
    with full_disk(), pytest.raises(StorageError):
        make_run(studio, lines("one"))
    assert list(settings.output_dir.iterdir()) == []


def test_what_a_dead_process_has_left_of_a_run_is_cleared_after_an_hour(studio, settings):
    old, new, foreign = (settings.output_dir / n for n in ("batch-old", "batch-new", "mine"))
    for folder in (old, new, foreign):
        folder.mkdir(parents=True)
    for folder in (old, foreign):
        os.utime(folder, (0, 0))
    Batches(studio)
    assert {path.name for path in settings.output_dir.iterdir()} == {"batch-new", "mine"}


# -- a database that is gone -----------------------------------------------------------------------


def test_a_run_whose_database_was_moved_away_is_told_and_never_cleared(studio, tmp_path):
    run = make_run(studio, lines("one", "two"))
    finish(run)
    folder, elsewhere = run.store.folder, tmp_path / "run.db"
    run.store.close()
    run.store.database_path.rename(elsewhere)
    os.utime(folder, (0, 0))
    (unreadable,) = Batches(studio).listing().unreadable
    assert (unreadable.id, unreadable.error.message.key) == (run.id, "batch.run.headless")
    assert "run.db" in unreadable.error.message.text("en")
    assert len(list((folder / "audio").iterdir())) == 2
    elsewhere.rename(run.store.database_path)
    assert Batches(studio).run(run.id).view(fresh=True).counts.done == 2


def test_a_run_whose_database_is_gone_can_be_deleted(studio):
    run = make_run(studio, lines("one"))
    run.store.close()
    run.store.database_path.unlink()
    Batches(studio).remove(run.id)
    assert not run.store.folder.exists()


@pytest.mark.parametrize("act", [BatchRun.start, BatchRun.cancel, BatchRun.retry_failed])
def test_what_needs_a_database_that_is_gone_says_so(studio, act):
    run = make_run(studio, lines("one"))
    run.store.database_path.unlink()
    with pytest.raises(BatchError) as refused:
        act(run)
    assert refused.value.message.key == "batch.run.headless"
    assert not run.active


def test_what_a_deletion_that_was_cut_short_has_left_goes_at_the_next_start(studio, settings):
    left, mine = (
        settings.output_dir / name for name in (".deleted-0123456789abcdef", ".deleted-by-me")
    )
    for folder in (left, mine):
        (folder / "audio").mkdir(parents=True)
    Batches(studio)
    assert (left.exists(), mine.exists()) == (False, True)


def test_a_lock_that_was_taken_as_the_run_was_deleted_goes_too(studio, settings):
    left = settings.output_dir / "batch-20260101-000000-beef"
    left.mkdir(parents=True)
    (left / "lock").touch()
    os.utime(left, (0, 0))
    Batches(studio)
    assert not left.exists()


def test_nobody_waits_while_another_run_is_opened(studio, monkeypatch):
    slow, other = make_run(studio, lines("one")), make_run(studio, lines("two"))
    entered, leave = threading.Event(), threading.Event()

    def opened(folder: Path) -> RunStore:
        if folder.name == slow.id:
            entered.set()
            assert leave.wait(BOUND_S)
        return RunStore(folder)

    monkeypatch.setattr(registry, "RunStore", opened)
    batches = Batches(studio)
    with ThreadPoolExecutor(2) as pages:
        both = [pages.submit(batches.run, slow.id) for _ in range(2)]
        assert entered.wait(BOUND_S)
        assert batches.run(other.id).view().state is RunState.READY
        assert batches.active() == ()
        leave.set()
        assert both[0].result(BOUND_S) is both[1].result(BOUND_S)


def test_two_pages_that_open_an_earlier_run_at_once_both_get_it(studio, settings, monkeypatch):
    earlier = half_done(settings.output_dir / "batch-earlier", {"a": "one", "b": "two"}, 1)
    build = earlier_layout.build_database

    def slowly(*arguments: Any) -> None:
        # longer than anybody waits for the lock of a run
        time.sleep(1.0)
        build(*arguments)

    monkeypatch.setattr(earlier_layout, "build_database", slowly)
    batches = Batches(studio)
    with ThreadPoolExecutor(3) as pages:
        listing = pages.submit(batches.listing)
        both = [pages.submit(batches.run, earlier.folder.name) for _ in range(2)]
        assert both[0].result(BOUND_S) is both[1].result(BOUND_S)
        assert listing.result(BOUND_S).unreadable == ()
