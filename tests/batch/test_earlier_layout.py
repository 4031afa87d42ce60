"""Folders of the earlier layout: what is taken over of them, and that they stay as they were."""

from __future__ import annotations

import os
from contextlib import closing

import numpy as np
import pytest

from glmtts_core.audio import encode_wav
from glmtts_core.batch.registry import batches_of
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.run_database import RunStanding
from glmtts_core.batch.states import LineState, LineStatus, RunCounts, RunState
from glmtts_core.batch.store import RunStore
from glmtts_core.message import Message
from tests.batch.earlier import (
    BEGIN_S,
    MEMORY,
    REASON,
    STEP_S,
    EarlierRun,
    earlier_files,
    half_done,
)
from tests.batch.runs import batch_of, ended, finish, lines, raw_of, states

TEXTS = {"a": "one", "b": "two", "c": "three"}


@pytest.fixture
def earlier(settings) -> EarlierRun:
    return EarlierRun(settings.output_dir / "batch-earlier", TEXTS)


def opened(studio, earlier: EarlierRun) -> BatchRun:
    return batches_of(studio).open(earlier.folder)


def status_of(earlier: EarlierRun, position: int) -> LineStatus:
    with closing(RunStore(earlier.folder)) as store:
        return store.database.row(position).status


def standing_of(earlier: EarlierRun) -> RunStanding:
    with closing(RunStore(earlier.folder)) as store:
        return store.database.standing()


def spoken(studio) -> list[str]:
    return studio.engine.spoken


# -- lines ---------------------------------------------------------------------------------------


def test_a_finished_run_is_taken_over_with_all_that_is_known_of_it(earlier):
    earlier.state("running")
    earlier.done("a", "b", "c")
    earlier.cleanup(8_192)
    earlier.state("finished")
    standing = standing_of(earlier)
    assert (standing.state, standing.counts) == (RunState.FINISHED, RunCounts(done=3))
    assert (standing.cleanups, standing.regained_bytes) == (1, 8_192)
    assert (standing.active_s, standing.audio_s) == (8 * STEP_S, pytest.approx(1.1))
    status = status_of(earlier, 0)
    assert (status.state, status.seconds, status.audio_s) == (LineState.DONE, 0.25, 0.3)
    assert status.memory is not None
    assert status.memory.peak_bytes == MEMORY["peak_bytes"]
    assert (status.ended_s, status.sha256) == (BEGIN_S + 3 * STEP_S, None)


def test_what_was_set_aside_is_taken_over(settings):
    earlier = EarlierRun(settings.output_dir / "batch-earlier", TEXTS, problems=2)
    with closing(RunStore(earlier.folder)) as store:
        assert [each.excerpt for each in store.database.problems()] == ['{"uttid": "x"}'] * 2
        assert store.database.counts(RunState.READY) == RunCounts(queued=3, set_aside=2)


def test_a_failed_line_keeps_its_reason_and_can_be_retried(studio, earlier):
    earlier.state("running")
    earlier.failed("a")
    earlier.done("b", "c")
    earlier.state("finished")
    run = opened(studio, earlier)
    assert states(run) == "fdd"
    assert run.lines.row(0).status.reason == Message(REASON["key"], REASON["details"])
    run.retry_failed()
    ended(run)
    assert (states(run), spoken(studio)) == ("ddd", ["one"])


def test_lines_that_were_to_be_retried_wait(studio, earlier):
    earlier.state("running")
    earlier.failed("a")
    earlier.done("b", "c")
    earlier.state("finished")
    earlier.state("running")
    earlier.retry_failed()
    assert states(opened(studio, earlier)) == "qdd"
    assert standing_of(earlier).state is RunState.INTERRUPTED


def test_retries_are_counted(earlier):
    earlier.state("running")
    earlier.retried("b")
    earlier.done("b")
    earlier.retried("c")
    assert [status_of(earlier, each).retries for each in range(3)] == [0, 1, 1]
    assert standing_of(earlier).counts == RunCounts(queued=2, done=1)
    assert standing_of(earlier).retries == 2


def test_a_process_that_died_amid_a_line_left_a_run_that_goes_on_with_it(studio, settings):
    earlier = half_done(settings.output_dir / "batch-earlier", TEXTS, done=1)
    run = opened(studio, earlier)
    assert run.view().state is RunState.INTERRUPTED
    assert run.view().active_s == 3 * STEP_S
    assert [status_of(earlier, each).crashes for each in range(3)] == [0, 1, 0]
    finish(run)
    # a line at which the process died comes last
    assert (states(run), spoken(studio)) == ("ddd", ["three", "two"])


def test_a_line_that_was_stopped_waits_and_counts_as_no_crash(earlier):
    earlier.state("running")
    earlier.running("a")
    earlier.stopped("a")
    earlier.state("interrupted")
    assert standing_of(earlier).state is RunState.INTERRUPTED
    assert standing_of(earlier).counts == RunCounts(queued=3)
    assert (status_of(earlier, 0).crashes, status_of(earlier, 0).retries) == (0, 0)


@pytest.mark.parametrize("left_bytes", [0, 20, 400])
def test_a_line_whose_sound_is_not_whole_waits(earlier, left_bytes):
    earlier.state("running")
    earlier.done("a", "b", "c")
    earlier.state("finished")
    os.truncate(earlier.folder / "audio" / "b.wav", left_bytes)
    with closing(RunStore(earlier.folder)) as store:
        assert store.missing_sounds() == {1}


def test_a_sound_that_is_shorter_than_was_noted_is_another_one(earlier):
    earlier.state("running")
    earlier.done("a", "b", "c")
    earlier.state("finished")
    samples = np.zeros(800, np.float32)
    (earlier.folder / "audio" / "b.wav").write_bytes(encode_wav(samples, 24_000))
    with closing(RunStore(earlier.folder)) as store:
        assert store.missing_sounds() == {1}


def test_a_line_whose_sound_had_vanished_waits(earlier):
    earlier.state("running")
    earlier.done("a", "b", "c")
    (earlier.folder / "audio" / "a.wav").unlink()
    earlier.stopped("a")
    earlier.state("paused", REASON)
    assert standing_of(earlier).counts == RunCounts(queued=1, done=2)


# -- the run -------------------------------------------------------------------------------------


def test_a_run_that_never_started_is_ready(studio, earlier):
    assert not earlier.journal.exists()
    run = opened(studio, earlier)
    assert run.view().state is RunState.READY
    assert not run.view().standing.lost
    finish(run)
    assert states(run) == "ddd"


def test_a_run_that_paused_by_itself_says_why(studio, earlier):
    earlier.state("running")
    earlier.done("a")
    earlier.state("paused", REASON)
    view = opened(studio, earlier).view()
    assert (view.state, view.reason) == (
        RunState.PAUSED,
        Message(REASON["key"], REASON["details"]),
    )


def test_what_waited_in_a_cancelled_run_is_skipped_and_can_be_spoken_still(studio, earlier):
    earlier.state("running")
    earlier.done("a")
    earlier.state("cancelled")
    run = opened(studio, earlier)
    assert run.view().counts == RunCounts(done=1, skipped=2)
    finish(run)
    assert (states(run), spoken(studio)) == ("ddd", ["two", "three"])


def test_the_time_between_a_crash_and_the_next_start_does_not_count(settings):
    earlier = half_done(settings.output_dir / "batch-earlier", TEXTS, done=0)
    earlier.state("running")
    earlier.done("a", "b", "c")
    earlier.state("finished")
    assert standing_of(earlier).active_s == (1 + 7) * STEP_S


def test_a_corrected_input_holds_and_what_was_said_of_the_one_before_does_not(studio, earlier):
    earlier.state("running")
    earlier.done("a", "b", "c")
    earlier.state("finished")
    earlier.correct({"a": "one", "b": "zwei", "d": "four"})
    run = opened(studio, earlier)
    assert (run.view().state, states(run)) == (RunState.READY, "dqq")
    assert run.store.input_path == earlier.folder / "input-1" / "input.jsonl"
    before = earlier_files(earlier.folder)
    finish(run)
    assert (states(run), spoken(studio)) == ("ddd", ["zwei", "four"])
    # not even the sound of the line that is no more goes
    assert set(before) <= set(earlier_files(earlier.folder))


def test_a_correction_takes_nothing_of_one_that_was_cut_short_before(studio, earlier):
    earlier.state("running")
    earlier.done("a", "b", "c")
    earlier.state("finished")
    left = earlier.folder / "input-1"
    left.mkdir()
    for name in ("input.jsonl", "lines.jsonl"):
        (left / name).write_bytes(b"{}")
    before = earlier_files(earlier.folder)
    run, good = opened(studio, earlier), lines("one", "two", "three", "four")
    run.amend(raw_of(good), batch_of(good))
    assert run.store.input_path == earlier.folder / "input-2" / "input.jsonl"
    assert {name: before[name] for name in before} == {
        name: earlier_files(earlier.folder)[name] for name in before
    }


def test_an_earlier_run_can_be_corrected(studio, earlier):
    earlier.state("running")
    earlier.done("a", "b", "c")
    earlier.state("finished")
    earlier.correct({**TEXTS, "b": "zwei"})
    before = earlier_files(earlier.folder)
    run, good = opened(studio, earlier), lines("one", "zwei", "drei")
    run.amend(raw_of(good), batch_of(good))
    finish(run)
    assert (states(run), spoken(studio)) == ("ddd", ["zwei", "drei"])
    changed = {"audio/b.wav", "audio/c.wav"}
    after = earlier_files(earlier.folder)
    assert {name for name in before if after.get(name) != before[name]} == changed
