"""A run: no line touches another, it can be stopped anywhere, and nothing is spoken twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from glmtts_core.audio import decode
from glmtts_core.batch import run as run_module
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch.registry import batches_of
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.run_files import is_locked, run_lock
from glmtts_core.batch.run_writer import RunWriter
from glmtts_core.batch.states import RunState
from glmtts_core.batch.store import RunStore
from glmtts_core.batch_files.lines import LineProblem
from glmtts_core.errors import (
    BatchError,
    EngineError,
    EngineProcessError,
    ModelFileError,
    OutOfMemoryError,
    StorageError,
)
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.message import Message
from glmtts_core.studio.studio import Studio
from tests.batch.runs import (
    DEFAULTS,
    MoodyEngine,
    batch_of,
    ended,
    finish,
    lines,
    make_run,
    raw_of,
    states,
    texts_done,
)
from tests.full_disk import full_disk
from tests.scripted_engine import CloningEngine
from tests.speaking import ANNA, request
from tests.waiting import BOUND_S, wait_until


@pytest.fixture
def studio(settings) -> Iterator[Studio]:
    with closing(Studio(settings, MoodyEngine)) as opened:
        yield opened


def fail(before: int) -> None:
    raise EngineError("engine.unexpected", reason="bad mood")


def run_out_of_memory(before: int) -> None:
    raise OutOfMemoryError("engine.out_of_memory", requested_bytes=3 * 2**30)


def lose_the_process(before: int) -> None:
    raise EngineProcessError("engine.process_hung", engine="Scripted")


def lose_the_process_once(before: int) -> None:
    if before == 0:
        lose_the_process(before)


def run_out_of_memory_once(before: int) -> None:
    if before == 0:
        raise MemoryError


def held(studio: Studio, run: BatchRun) -> None:
    """Start a run and wait until its first line is in the middle of its speaking."""
    studio.engine.gate.clear()
    studio.engine.reached.clear()
    run.start()
    assert studio.engine.reached.wait(BOUND_S)


def reopened(run: BatchRun, studio: Studio) -> BatchRun:
    """Return the run as another process would find it."""
    return BatchRun(RunStore(run.store.folder), None, studio.settings.max_reference_s)


# -- speaking ------------------------------------------------------------------------------------


def test_every_line_becomes_a_sound_of_its_own_name(studio):
    run = make_run(studio, lines("one", "four"))
    finish(run)
    view = run.view()
    assert (states(run), view.state) == ("dd", RunState.FINISHED)
    for line in lines("one", "four"):
        audio = decode(run.store.wav(line), "x.wav")
        assert len(audio.samples) == 2_400 * len(line.text)
    assert view.standing.audio_s == pytest.approx(0.7)
    assert (view.counts.done, view.counts.success_rate, view.counts.queued) == (2, 1.0, 0)


def test_a_line_says_what_it_took(studio):
    run = make_run(studio, lines("hello"))
    finish(run)
    status = run.lines.row(0).status
    assert status.audio_s == pytest.approx(0.5)
    assert status.rtf == pytest.approx(status.seconds / 0.5)
    assert status.memory.peak_bytes >= status.memory.before_bytes > 0


def test_a_failed_line_does_not_stop_the_batch(studio):
    studio.engine.moods["two"] = fail
    run = make_run(studio, lines("one", "two", "three"))
    finish(run)
    assert states(run) == "dfd"
    assert "bad mood" in run.lines.row(1).status.reason.text("en")
    assert run.view().state is RunState.FINISHED


def test_a_line_that_the_engine_refuses_fails_with_the_engines_words(studio):
    run = make_run(studio, lines("one", voice="nobody"))
    finish(run)
    assert "nobody" in run.lines.row(0).status.reason.text("zh")


def test_a_native_fault_costs_its_own_line_only(studio):
    class Panic(BaseException):
        pass

    def panic(before: int) -> None:
        raise Panic("boom")

    studio.engine.moods["two"] = panic
    run = make_run(studio, lines("one", "two", "three"))
    finish(run)
    assert states(run) == "dfd"


def test_a_recording_that_has_gone_costs_its_own_line_only(studio):
    run = make_run(studio, (*lines("one", prompt_audio="gone.wav"), *lines("x", "two")[1:]))
    finish(run)
    assert states(run) == "fd"
    assert "gone.wav" in run.lines.row(0).status.reason.text("en")


def test_lines_are_spoken_by_voice_and_kept_in_the_inputs_order(studio):
    first, second, third = lines("one", "two", "three")
    second = second.changed(voice="kumo")
    run = make_run(studio, (first, second, third))
    finish(run)
    assert studio.engine.spoken == ["one", "three", "two"]
    assert texts_done(run) == ["one", "two", "three"]


def test_a_single_synthesis_goes_ahead_between_two_lines(studio):
    run = make_run(studio, lines("one", "two", "three"))
    held(studio, run)
    single = studio.submit(ANNA, request("single"))
    studio.engine.gate.set()
    assert single.wait(BOUND_S)
    ended(run)
    assert studio.engine.spoken == ["one", "single", "two", "three"]


def test_lines_enter_the_queue_one_by_one(studio):
    run = make_run(studio, lines(*"abcdefgh"))
    held(studio, run)
    assert studio.state().queued == 0
    studio.engine.gate.set()
    ended(run)


def test_a_session_is_not_hindered_and_its_history_not_touched(studio):
    run = make_run(studio, lines("one", "two"))
    finish(run)
    job = studio.submit(ANNA, request("mine"))
    assert job.wait(BOUND_S)
    assert [each.text for each in studio.sessions.entry(ANNA).history.list().records] == ["mine"]


def test_two_runs_go_on_side_by_side(studio):
    runs = [make_run(studio, lines("one", "two")) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        ended(run)
    assert [states(run) for run in runs] == ["dd", "dd"]


def test_a_run_without_a_line_ends_at_once(studio):
    problem = LineProblem(1, "", Message("batch.line.json", {"position": 1}), "{")
    run = make_run(studio, (), problems=[problem])
    finish(run)
    assert (run.view().state, run.view().counts.set_aside) == (RunState.FINISHED, 1)
    assert run.lines.problems() == (problem,)


# -- memory --------------------------------------------------------------------------------------


def test_a_line_that_ran_out_of_memory_is_tried_once_more_after_all_idle_was_released(studio):
    studio.engine.moods["two"] = run_out_of_memory_once
    run = make_run(studio, lines("one", "two"), policy=CleanupPolicy.never())
    finish(run)
    assert (states(run), run.lines.row(1).status.retries) == ("dd", 1)
    assert studio.engine.released == [CleanupLevel.TRIM]
    assert (run.view().standing.retries, run.view().standing.cleanups) == (1, 1)


def test_a_line_that_runs_out_of_memory_twice_says_what_it_would_have_needed(studio):
    studio.engine.moods["two"] = run_out_of_memory
    run = make_run(studio, lines("one", "two", "three"))
    finish(run)
    assert states(run) == "dfd"
    assert "3,072 MiB more at once" in run.lines.row(1).status.reason.text("en")
    assert run.lines.row(1).status.retries == 1


def test_a_line_that_lost_its_engines_process_is_tried_once_more(studio):
    studio.engine.moods |= {"one": lose_the_process, "two": lose_the_process_once}
    run = make_run(studio, lines("one", "two", "three"))
    finish(run)
    assert states(run) == "fdd"
    assert run.lines.row(0).status.reason.key == "engine.process_hung"
    assert [run.lines.row(each).status.retries for each in range(3)] == [1, 1, 0]


def test_a_process_that_is_lost_again_while_it_loads_pauses_the_run_and_loses_no_line(studio):
    def lost() -> EngineProcessError:
        return EngineProcessError("engine.process_hung", engine="Scripted")

    studio.engine.fail_loading_with = lost
    run = make_run(studio, lines("one", "two"))
    finish(run)
    assert (states(run), run.view().state) == ("qq", RunState.PAUSED)
    assert run.view().reason.key == "engine.process_hung"
    studio.engine.fail_loading_with = None
    run.start()
    ended(run)
    assert states(run) == "dd"


def test_a_retried_line_goes_before_the_next(studio):
    studio.engine.moods["one"] = run_out_of_memory_once
    run = make_run(studio, lines("one", "two"))
    finish(run)
    assert studio.engine.spoken == ["one", "two"]


@pytest.mark.parametrize(
    ("policy", "cleanups"),
    [
        pytest.param(CleanupPolicy.never(), 0, id="never"),
        pytest.param(CleanupPolicy(None, 2, after_failure=False), 2, id="every two lines"),
        pytest.param(CleanupPolicy(None, None, after_failure=True), 1, id="after a failure"),
        pytest.param(CleanupPolicy(2**50, None, after_failure=False), 0, id="below the threshold"),
    ],
)
def test_the_run_cleans_up_when_its_policy_says_so(studio, policy, cleanups):
    studio.engine.moods["three"] = fail
    run = make_run(studio, lines("one", "two", "three", "four", "five"), policy=policy)
    finish(run)
    assert len(studio.engine.released) == run.view().standing.cleanups == cleanups


def test_a_cleanup_that_fails_is_told_and_speaking_goes_on(studio):
    studio.engine.fail_releasing_with = lambda: RuntimeError("stuck")
    run = make_run(studio, lines("one", "two"), policy=CleanupPolicy(every_lines=1))
    studio.engine.moods["two"] = lambda before: wait_until(lambda: run.view().cleanup_reason)
    finish(run)
    assert states(run) == "dd"


# -- stopping and going on -----------------------------------------------------------------------


def test_a_pause_lets_the_line_end_and_starting_speaks_the_rest(studio):
    run = make_run(studio, lines("one", "two", "three"))
    held(studio, run)
    run.pause()
    assert run.view().stopping
    studio.engine.gate.set()
    ended(run)
    assert (states(run), run.view().state) == ("dqq", RunState.PAUSED)
    assert run.view().counts.queued + run.view().counts.skipped > 0
    finish(run)
    assert studio.engine.spoken == ["one", "two", "three"]


def test_a_pause_can_be_taken_back(studio):
    run = make_run(studio, lines("one", "two"))
    held(studio, run)
    run.pause()
    run.start()
    studio.engine.gate.set()
    ended(run)
    assert states(run) == "dd"


def test_a_pause_during_the_last_line_finds_the_run_finished(studio):
    run = make_run(studio, lines("one"))
    held(studio, run)
    run.pause()
    studio.engine.gate.set()
    ended(run)
    assert run.view().state is RunState.FINISHED


def test_cancelling_stops_the_line_and_skips_the_rest(studio):
    run = make_run(studio, lines("one", "two", "three"))
    held(studio, run)
    run.cancel()
    ended(run)
    assert (states(run), run.view().state) == ("sss", RunState.CANCELLED)
    assert reopened(run, studio).view().counts.skipped == 3


def test_a_cancelled_run_can_be_taken_up_after_all(studio):
    run = make_run(studio, lines("one", "two"))
    held(studio, run)
    run.cancel()
    ended(run)
    studio.engine.gate.set()
    finish(run)
    assert states(run) == "dd"


def test_a_run_that_does_not_go_on_can_be_cancelled_too(studio):
    run = make_run(studio, lines("one"))
    run.cancel()
    assert (states(run), run.view().state) == ("s", RunState.CANCELLED)


def test_failed_lines_can_be_tried_again(studio):
    studio.engine.moods["two"] = fail
    run = make_run(studio, lines("one", "two"))
    finish(run)
    del studio.engine.moods["two"]
    run.retry_failed()
    ended(run)
    assert states(run) == "dd"
    assert studio.engine.spoken == ["one", "two"]


def test_failed_lines_can_be_tried_again_while_the_run_goes_on(studio):
    studio.engine.moods["one"] = fail
    run = make_run(studio, lines("one", "two"))

    def retry(before: int) -> None:
        del studio.engine.moods["one"], studio.engine.moods["two"]
        run.retry_failed()

    studio.engine.moods["two"] = retry
    finish(run)
    assert states(run) == "dd"
    assert studio.engine.spoken == ["two", "one"]


def test_a_finished_run_that_is_started_again_speaks_nothing(studio):
    run = make_run(studio, lines("one"))
    finish(run)
    finish(run)
    assert studio.engine.spoken == ["one"]


def test_a_line_whose_sound_was_removed_is_spoken_again(studio):
    run = make_run(studio, lines("one", "two"))
    finish(run)
    run.store.audio_path(lines("one")[0]).unlink()
    finish(run)
    assert studio.engine.spoken == ["one", "two", "one"]


def test_a_run_that_another_holds_is_not_started_and_shows_as_running_elsewhere(studio):
    run = make_run(studio, lines("one"))
    with run_lock(run.store.folder):
        with pytest.raises(BatchError, match="carried on"):
            run.start()
        assert (run.view().state, run.view().elsewhere) == (RunState.RUNNING, True)
    finish(run)


def test_an_engine_that_cannot_load_pauses_the_run_and_fails_no_line(studio):
    studio.engine.fail_loading_with = lambda: ModelFileError("kokoro.model_unreadable", reason="x")
    run = make_run(studio, lines("one", "two"))
    finish(run)
    assert (states(run), run.view().state) == ("qq", RunState.PAUSED)
    assert run.view().reason.key == "kokoro.model_unreadable"


def test_an_engine_that_is_taken_away_pauses_the_run_and_fails_no_line(studio):
    named = DEFAULTS.changed(engine="Scripted")
    run = make_run(studio, lines("one", "two", "three"), defaults=named)
    studio.engines.add(CloningEngine)
    # in the middle of the first line the run's engine goes
    mine = studio.engine
    mine.moods["one"] = lambda before: studio.engines.remove(mine)
    run.start()
    ended(run)
    assert (states(run), run.view().state) == ("dqq", RunState.PAUSED)
    assert run.view().reason.key == "request.engine"


# -- the end of the program ----------------------------------------------------------------------


def test_closing_the_studio_leaves_a_run_that_can_be_resumed(settings):
    with closing(Studio(settings, MoodyEngine)) as first:
        run = make_run(first, lines("one", "two", "three"))
        first.engine.moods["two"] = lambda before: first.engine.gate.clear()
        run.start()
        wait_until(lambda: first.engine.spoken == ["one"] and not first.engine.gate.is_set())
    assert not run.active
    with closing(Studio(settings, MoodyEngine)) as second:
        again = batches_of(second).run(run.id)
        assert (states(again), again.view().state) == ("dqq", RunState.INTERRUPTED)
        assert again.view().counts.queued + again.view().counts.skipped > 0
        finish(again)
        assert second.engine.spoken == ["two", "three"]
        assert states(again) == "ddd"


# -- the disk ------------------------------------------------------------------------------------


def test_a_disk_that_fills_up_pauses_the_run_and_loses_nothing(studio):
    run = make_run(studio, lines("one", "two", "three"))
    held(studio, run)
    with full_disk():
        studio.engine.gate.set()
        ended(run)
        view = run.view()
        assert view.state is RunState.PAUSED
        assert "Free some space" in view.reason.text("en")
    assert reopened(run, studio).view().state is RunState.INTERRUPTED
    finish(run)
    assert states(run) == "ddd"
    assert not list(run.store.folder.rglob("*.part"))


def test_a_folder_that_cannot_be_written_refuses_the_start_in_one_sentence(studio):
    run = make_run(studio, lines("one"))
    with full_disk(), pytest.raises(StorageError):
        run.start()
    assert not run.active
    assert not is_locked(run.store.folder)
    finish(run)


# -- looking -------------------------------------------------------------------------------------


def test_the_view_follows_the_run(studio):
    run = make_run(studio, lines("one", "two"))
    assert (run.view().state, run.view().eta_s) == (RunState.READY, None)
    held(studio, run)
    view = run.view()
    assert (view.state, view.counts.running, view.counts.queued) == (RunState.RUNNING, 1, 1)
    assert [row.line.text for row in view.current] == ["one"]
    wait_until(lambda: run.view().progress is not None and run.view().progress.piece == 1)
    studio.engine.gate.set()
    ended(run)
    view = run.view()
    assert (view.progress, view.current, view.eta_s) == (None, (), None)
    assert view.active_s > 0


def test_pace_and_remaining_time_are_told_after_the_first_line(studio):
    run = make_run(studio, lines("one", "two", "three"))
    studio.engine.moods["two"] = lambda before: studio.engine.gate.clear()
    run.start()
    wait_until(lambda: run.view().counts.done == 1 and not studio.engine.gate.is_set())
    view = run.view()
    assert view.counts.running == 1
    assert view.lines_per_min > 0
    assert view.audio_per_s > 0
    assert view.eta_s > 0
    studio.engine.gate.set()
    ended(run)


def test_what_a_run_has_done_is_the_same_when_it_is_read_from_its_folder(studio):
    studio.engine.moods = {"two": fail, "three": run_out_of_memory_once}
    run = make_run(studio, lines("one", "two", "three"))
    finish(run)
    again = reopened(run, studio)
    assert again.lines.rows() == run.lines.rows()
    assert again.view().counts == run.view().counts
    assert again.lines.done_hashes() == run.lines.done_hashes()
    assert again.view().standing.regained_bytes == run.view().standing.regained_bytes


def test_a_run_that_another_process_has_carried_on_is_read_again(studio):
    run = make_run(studio, lines("one"))
    watched = reopened(run, studio)
    finish(run)
    assert watched.view().state is RunState.FINISHED
    assert states(watched) == "d"


def test_nobody_who_looks_waits_for_a_correction(studio, monkeypatch):
    run = make_run(studio, lines("one"))
    finish(run)
    entered, leave = threading.Event(), threading.Event()
    replace = run_module.replace_input

    def slow(*arguments: object) -> None:
        entered.set()
        assert leave.wait(BOUND_S)
        replace(*arguments)

    monkeypatch.setattr(run_module, "replace_input", slow)
    good = lines("one", "two")
    with ThreadPoolExecutor(1) as another:
        changed = another.submit(run.amend, raw_of(good), batch_of(good))
        assert entered.wait(BOUND_S)
        view = run.view()
        assert (view.state, view.elsewhere, view.counts.total) == (RunState.FINISHED, False, 1)
        leave.set()
        changed.result(BOUND_S)
    assert run.view().counts.total == 2


def test_who_looks_at_a_run_that_goes_on_elsewhere_reads_no_sounds(studio, monkeypatch):
    run = make_run(studio, lines("one", "two"))
    finish(run)
    with run_lock(run.store.folder), monkeypatch.context() as patch:
        patch.setattr(RunStore, "missing_sounds", lambda _: pytest.fail("sounds are looked at"))
        (run.store.audio_folder / "b.wav").unlink()
        assert run.view().elsewhere
    assert run.view().counts.done == 1


def test_a_line_that_cannot_be_written_down_as_begun_pauses_the_run(studio, monkeypatch, caplog):
    run = make_run(studio, lines("one", "two"))
    begin = RunWriter.running

    def refuse(writer: RunWriter, position: int) -> None:
        if position:
            raise StorageError("storage.write", folder="x", reason="full")
        begin(writer, position)

    with monkeypatch.context() as patch:
        patch.setattr(RunWriter, "running", refuse)
        finish(run)
    view = run.view()
    assert (states(run), view.state, view.reason.key) == ("dq", RunState.PAUSED, "storage.write")
    assert "unexpectedly" not in caplog.text
    wait_until(lambda: not studio.sessions.known_ids())
    finish(run)
    assert states(run) == "dd"
