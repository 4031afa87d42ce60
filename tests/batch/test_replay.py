"""What a journal tells of a run whose process has ended, in order or not."""

from __future__ import annotations

import json
from dataclasses import asdict

from pydantic import TypeAdapter

from glmtts_core.batch.journal_entries import JournalEntry, entry_of
from glmtts_core.batch.replay import counts_of, replay
from glmtts_core.batch.states import (
    LineMemory,
    LineState,
    LineStatus,
    RunCounts,
    RunState,
)
from glmtts_core.batch_files.lines import BatchLine
from glmtts_core.message import Message
from tests.batch.runs import lines

ONE, TWO = lines("one", "two")
DONE = LineStatus(
    LineState.DONE, 0.5, 2.0, LineMemory("resident_set_bytes", 1, 3, 2), retries=1, ended_s=5.0
)


def entry(**values) -> JournalEntry:
    return TypeAdapter(JournalEntry).validate_json(json.dumps(values))


def told(line: BatchLine, state: LineState, at_s: float = 5.0, **values) -> JournalEntry:
    return entry(at=at_s, **entry_of(line, LineStatus(state, **values)))


def run(state: str, at_s: float = 1.0, **more) -> JournalEntry:
    return entry(at=at_s, run=state, **more)


def test_a_line_that_is_done_comes_back_with_all_its_figures():
    found = replay([run("running"), entry(at=5.0, **entry_of(ONE, DONE)), run("finished")], [ONE])
    assert found.statuses == {0: DONE}
    assert found.state is RunState.FINISHED


def test_a_line_that_failed_comes_back_with_its_reason():
    reason = Message("text.too_long", {"chars": 9, "limit": 5})
    found = replay([told(ONE, LineState.FAILED, reason=reason)], [ONE])
    assert found.statuses[0].reason == reason


def test_a_line_that_was_running_waits_again_and_the_crash_is_counted():
    entries = [run("running"), told(ONE, LineState.RUNNING), run("running")]
    entries += [told(ONE, LineState.RUNNING)]
    status = replay(entries, [ONE]).statuses[0]
    assert (status.state, status.crashes) == (LineState.QUEUED, 2)


def test_a_line_that_was_stopped_in_order_has_not_crashed():
    entries = [run("running"), told(ONE, LineState.RUNNING), told(ONE, LineState.QUEUED)]
    status = replay([*entries, run("interrupted")], [ONE]).statuses[0]
    assert (status.state, status.crashes) == (LineState.QUEUED, 0)


def test_what_was_written_for_another_content_does_not_count():
    changed = lines("one, corrected")[0]
    assert replay([told(ONE, LineState.DONE)], [changed]).statuses == {}


def test_a_line_may_stand_somewhere_else_in_the_corrected_file():
    assert list(replay([told(TWO, LineState.DONE)], [TWO, ONE]).statuses) == [0]


def test_failed_lines_that_are_to_be_tried_again_wait():
    entries = [told(ONE, LineState.FAILED, retries=1), told(TWO, LineState.DONE)]
    statuses = replay([*entries, run("retry_failed")], [ONE, TWO]).statuses
    assert [statuses[n].state for n in (0, 1)] == [LineState.QUEUED, LineState.DONE]
    assert statuses[0].reason is None


def test_running_time_adds_up_over_all_stretches_however_they_ended():
    entries = [run("running", 10.0), run("paused", 14.0), run("running", 20.0)]
    entries += [told(ONE, LineState.DONE, at_s=21.5)]
    assert replay(entries, [ONE]).active_s == 5.5


def test_cleanups_add_up():
    found = replay([entry(at=1.0, cleanup=5), entry(at=2.0, cleanup=7)], [])
    assert (found.cleanups, found.regained_bytes) == (2, 12)


def test_a_run_that_ended_without_a_word_is_told_as_running():
    assert replay([run("running")], []).state is RunState.RUNNING


def test_a_pause_that_nobody_asked_for_has_its_reason():
    reason = Message("storage.write", {"folder": "x", "reason": "full"})
    assert replay([run("paused", reason=asdict(reason))], []).reason == reason


def test_the_last_entry_tells_the_counts_unless_the_run_goes_on():
    counts = RunCounts(done=3, failed=1)
    assert counts_of(run("paused", counts=asdict(counts))) == (RunState.PAUSED, counts)
    assert counts_of(run("running", counts=asdict(counts))) is None
    assert counts_of(told(ONE, LineState.DONE)) is None
    assert counts_of(None) is None


def test_a_sound_that_another_content_was_spoken_over_does_not_count_for_the_first_one_again():
    changed = lines("one, corrected")[0]
    entries = [told(ONE, LineState.DONE), told(changed, LineState.RUNNING)]
    assert replay(entries, [ONE]).statuses == {}
    assert replay([*entries, told(changed, LineState.DONE)], [ONE]).statuses == {}
    again = [*entries, told(ONE, LineState.RUNNING), told(ONE, LineState.DONE)]
    assert replay(again, [ONE]).statuses[0].state is LineState.DONE


def test_a_line_whose_file_has_another_name_now_is_spoken_anew():
    renamed = ONE.model_copy(update={"file_stem": "other"})
    found = replay([told(ONE, LineState.DONE)], [renamed])
    assert found.statuses == {}
    assert found.orphans == {"a"}


def test_what_was_written_about_another_input_is_no_state_of_this_one():
    entries = [run("finished", counts=asdict(RunCounts(done=1)))]
    assert replay(entries, [ONE], input_version=1).state is RunState.READY
    assert counts_of(entries[0], 1) is None


def test_the_journal_of_an_older_version_that_names_no_files_still_counts():
    values = {**entry_of(ONE, DONE), "file": None}
    assert replay([entry(at=5.0, **values)], [ONE]).statuses == {0: DONE}
