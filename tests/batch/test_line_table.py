"""The table of lines: counts that always add up, and windows that a page asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.batch.line_table import LineTable
from glmtts_core.batch.states import LineState, LineStatus
from tests.batch.runs import lines

DONE = LineStatus(LineState.DONE, seconds=0.5, audio_s=2.0)
FAILED = LineStatus(LineState.FAILED, retries=1)
RUNNING = LineStatus(LineState.RUNNING)


@pytest.fixture
def table():
    """Six lines: waiting, done, failed, running, done, waiting; and one set aside."""
    made = LineTable(lines(*"uvwxyz"), set_aside=1)
    for position, status in ((1, DONE), (2, FAILED), (3, RUNNING), (4, DONE)):
        made.put(position, status)
    return made


def positions(rows):
    return [row.position for row in rows]


def test_counts_follow_every_change(table):
    counts = table.counts()
    assert (counts.queued, counts.running, counts.done, counts.failed) == (2, 1, 2, 1)
    assert (counts.set_aside, counts.total, counts.tried) == (1, 7, 3)
    assert counts.success_rate == pytest.approx(2 / 3)
    assert table.totals() == (4.0, 1)


def test_a_line_that_is_spoken_again_counts_once(table):
    table.put(1, LineStatus())
    table.put(1, replace(DONE, audio_s=3.0))
    assert table.totals()[0] == 5.0


def test_rows_come_in_the_inputs_order_by_windows(table):
    assert positions(table.rows(limit=4)) == [0, 1, 2, 3]
    assert positions(table.rows(offset=4, limit=4)) == [4, 5]


def test_rows_can_be_filtered(table):
    assert positions(table.rows({LineState.DONE})) == [1, 4]
    assert positions(table.rows({LineState.DONE}, offset=1)) == [4]
    assert table.rows(set()) == ()


def test_failures_can_come_first_across_windows(table):
    wanted = [2, 3, 1, 4, 0, 5]
    assert positions(table.rows(failures_first=True)) == wanted
    windows = [table.rows(offset=n, limit=2, failures_first=True) for n in (0, 2, 4)]
    assert [each for window in windows for each in positions(window)] == wanted


def test_lines_of_a_cancelled_run_show_as_skipped_and_wait_still(table):
    table.skip_waiting(True)
    assert (table.counts().queued, table.counts().skipped) == (0, 2)
    assert positions(table.rows({LineState.SKIPPED})) == [0, 5]
    assert table.rows({LineState.QUEUED}) == ()
    assert table.rows(limit=1)[0].status.state is LineState.SKIPPED
    assert table.positions({LineState.QUEUED}) == [0, 5]


def test_what_is_being_spoken_is_known_without_looking_through_all(table):
    assert positions(table.running()) == [3]


@given(
    kept=st.lists(st.sampled_from(list(LineState)[:4]), max_size=12),
    states=st.sets(st.sampled_from(LineState)),
    offset=st.integers(0, 14),
    limit=st.integers(0, 14),
    first=st.booleans(),
    skipping=st.booleans(),
)
def test_every_window_is_a_part_of_the_whole(kept, states, offset, limit, first, skipping):
    table = LineTable(lines(*("x" * len(kept))), set_aside=0)
    for position, state in enumerate(kept):
        table.put(position, LineStatus(state))
    table.skip_waiting(skipping)
    whole = table.rows(states, limit=len(kept), failures_first=first)
    assert table.rows(states, offset, limit, failures_first=first) == whole[offset:][:limit]
    counts = table.counts()
    assert len(whole) == sum(getattr(counts, state.value) for state in states)
