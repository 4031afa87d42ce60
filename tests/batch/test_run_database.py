"""What is asked of a run's database: counts, filters, windows; while it goes on and afterwards."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from glmtts_core.batch.run_database import RunDatabase
from glmtts_core.batch.run_files import run_lock
from glmtts_core.batch.run_schema import SCHEMA
from glmtts_core.batch.run_writer import RunWriter
from glmtts_core.batch.states import LineState, RunCounts, RunState
from glmtts_core.batch.store import RunStore
from glmtts_core.database import open_database
from glmtts_core.errors import StorageError
from glmtts_core.memory.cost import MemoryCost
from glmtts_core.message import Message
from tests.batch.runs import lines, make_run, spoil
from tests.speaking import result
from tests.waiting import BOUND_S

Q, R, D, F, S = (
    LineState.QUEUED,
    LineState.RUNNING,
    LineState.DONE,
    LineState.FAILED,
    LineState.SKIPPED,
)
LINES = 26
ONE_BY_ONE = "kokoro.run_failed"


class Carried:
    """A run of 26 lines that is carried on by hand.

    Attributes:
        expected: the state of each line.
    """

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self.expected = [Q] * LINES
        self._open = ExitStack()

    @property
    def database(self) -> RunDatabase:
        return self.store.database

    def begin(self) -> RunWriter:
        self._open.enter_context(run_lock(self.store.folder))
        writer = self._open.enter_context(closing(RunWriter(self.store)))
        writer.begin()
        return writer

    def stop(self) -> None:
        """Let go of the run, as a process does that dies."""
        self._open.close()


@pytest.fixture
def carried(studio) -> Iterator[Carried]:
    store = make_run(studio, lines(*(f"text {number}" for number in range(LINES)))).store
    run = Carried(store)
    yield run
    run.stop()


def speak(run: Carried, writer: RunWriter, position: int, into: LineState) -> None:
    writer.running(position)
    if into is D:
        writer.done(run.database.row(position), result())
    elif into is F:
        writer.failed(position, Message(ONE_BY_ONE, {"reason": str(position)}))
    run.expected[position] = into


def positions(run: Carried, *states: LineState) -> list[int]:
    return [row.position for row in run.database.rows(set(states) or None)]


def assert_as_expected(run: Carried) -> None:
    database, expected = run.database, run.expected
    assert [row.status.state for row in database.rows()] == expected
    assert [database.row(position).status.state for position in range(LINES)] == expected
    for state in LineState:
        assert positions(run, state) == [p for p, each in enumerate(expected) if each is state]
    counts = database.counts(database.state())
    assert counts == RunCounts(*(expected.count(each) for each in (Q, R, D, F, S)), set_aside=0)


def test_counts_and_filters_are_those_of_the_lines_whatever_happened(carried):
    chance = random.Random(11)
    writer = carried.begin()
    for position in chance.sample(range(LINES), 15):
        speak(carried, writer, position, chance.choice((D, D, F)))
        assert_as_expected(carried)
    speak(carried, writer, carried.expected.index(Q), R)
    assert_as_expected(carried)


def test_a_line_that_was_spoken_when_the_process_died_waits(carried):
    writer = carried.begin()
    speak(carried, writer, 3, R)
    carried.stop()
    carried.expected[3] = Q
    assert_as_expected(carried)
    assert carried.database.state() is RunState.RUNNING
    carried.begin()
    assert_as_expected(carried)
    assert carried.database.row(3).status.crashes == 1


def test_what_waits_in_a_cancelled_run_is_skipped(carried):
    writer = carried.begin()
    speak(carried, writer, 0, D)
    speak(carried, writer, 1, R)
    writer.end(RunState.CANCELLED, None)
    carried.stop()
    carried.expected = [D] + [S] * (LINES - 1)
    assert_as_expected(carried)


def test_a_line_whose_sound_is_missing_waits_but_only_while_it_counts_as_done(carried):
    writer = carried.begin()
    for position in range(3):
        speak(carried, writer, position, D)
    writer.note_sounds([1])
    carried.expected[1] = Q
    assert_as_expected(carried)
    assert (carried.database.standing().lost, carried.database.lost()) == (1, {1})
    writer.note_sounds([])
    carried.expected[1] = D
    assert_as_expected(carried)
    assert carried.database.standing().lost == 0


def test_windows_put_together_are_all_the_lines_each_once(carried):
    writer = carried.begin()
    for position in range(0, LINES, 2):
        speak(carried, writer, position, F if position % 4 else D)
    whole = carried.database.rows()
    windows = [carried.database.rows(None, start, 7) for start in range(0, LINES + 7, 7)]
    assert [row for window in windows for row in window] == list(whole)
    done = carried.database.rows({D})
    assert carried.database.rows({D}, 2, 3) == done[2:5]
    assert carried.database.rows(None, LINES, 7) == ()
    assert carried.database.rows(set()) == ()


def test_failures_come_first_then_what_is_spoken_done_and_waiting(carried):
    writer = carried.begin()
    for position, into in ((9, F), (4, F), (7, D), (2, D), (5, R)):
        speak(carried, writer, position, into)
    ranked = [row.position for row in carried.database.rows(failures_first=True)]
    waiting = [p for p in range(LINES) if p not in {9, 4, 7, 2, 5}]
    assert ranked == [4, 9, 5, 2, 7, *waiting]
    assert [row.position for row in carried.database.rows(None, 1, 3, failures_first=True)] == [
        9,
        5,
        2,
    ]


def test_attempts_are_told_apart(carried):
    writer = carried.begin()
    memory = result().memory
    for _ in range(2):
        writer.running(0)
        writer.retrying(0, memory)
    speak(carried, writer, 0, D)
    status = carried.database.row(0).status
    assert (status.state, status.retries, status.crashes, status.reason) == (D, 2, 0, None)
    assert carried.database.standing().retries == 2
    assert carried.database.row(1).status.retries == 0


def test_a_done_line_says_what_its_file_holds(carried):
    writer = carried.begin()
    speak(carried, writer, 0, D)
    row = carried.database.row(0)
    wav = carried.store.audio_path(row.line).read_bytes()
    assert row.status.sha256 == hashlib.sha256(wav).hexdigest()
    assert row.status.audio_s == pytest.approx(result().audio.duration_s, abs=1e-4)
    assert carried.database.standing().audio_s == row.status.audio_s


def test_a_failed_line_keeps_its_reason_and_cost_until_it_waits_again(carried):
    writer = carried.begin()
    cost: MemoryCost = result().memory
    writer.running(4)
    writer.failed(4, Message(ONE_BY_ONE, {"reason": "no"}), cost)
    status = carried.database.row(4).status
    assert status.reason == Message(ONE_BY_ONE, {"reason": "no"})
    assert status.memory is not None
    assert writer.retry_failed() == {4: len("text 4")}
    status = carried.database.row(4).status
    assert (status.state, status.reason) == (Q, None)


def test_a_line_that_has_ended_before_it_could_be_stopped_stays_as_it_is(carried):
    writer = carried.begin()
    for position, into in ((0, D), (1, F), (2, R)):
        speak(carried, writer, position, into)
        writer.queued(position)
    carried.expected[2] = Q
    assert_as_expected(carried)
    assert carried.database.standing().audio_s > 0


def test_cleanups_are_counted_and_summed(carried):
    writer = carried.begin()
    for regained in (5, 0, 7):
        writer.cleanup(regained, 0.1)
    standing = carried.database.standing()
    assert (standing.cleanups, standing.regained_bytes) == (3, 12)
    assert carried.database.cleanups_s() == sorted(carried.database.cleanups_s())


def test_time_at_work_counts_once_whether_the_run_ended_or_died(carried):
    carried.begin().end(RunState.PAUSED, None, active_s=10.0)
    carried.stop()
    standing = carried.database.standing()
    assert (standing.active_s, standing.unfinished_s) == (10.0, 0.0)
    speak(carried, carried.begin(), 0, D)
    carried.stop()
    died = carried.database.standing()
    assert died.active_s == 10.0
    assert 0.0 < died.unfinished_s < BOUND_S
    carried.begin()
    assert carried.database.standing().active_s == pytest.approx(10.0 + died.unfinished_s)


def test_who_reads_never_waits_for_who_writes(carried):
    speak(carried, carried.begin(), 0, D)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with (
            closing(open_database(carried.store.database_path, SCHEMA)) as another,
            another.transaction() as change,
        ):
            change.execute("UPDATE line SET state = 'failed'")
            entered.set()
            leave.wait(BOUND_S)

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(BOUND_S)
    began_s = time.monotonic()
    assert_as_expected(carried)
    # who waits for a lock waits for seconds
    assert time.monotonic() - began_s < 3.0
    leave.set()
    thread.join(BOUND_S)


def test_reading_changes_no_file(carried):
    speak(carried, carried.begin(), 0, D)
    carried.stop()
    carried.store.close()
    folder = carried.store.folder
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with closing(RunStore(folder)) as store:
        store.database.rows(failures_first=True)
        store.database.standing()
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE run SET state = 'hibernating'", "hibernating"),
        ("UPDATE run SET header = '{}'", "run.db"),
        ("UPDATE line SET line = 'no JSON' WHERE position = 1", "run.db"),
        ("DELETE FROM run", "run.db"),
        ("DROP TABLE attempt", "run.db"),
    ],
)
def test_a_value_that_nobody_knows_is_told_with_its_place(carried, change, told):
    spoil(carried.store.database_path, change)
    with pytest.raises(StorageError) as refused:
        carried.database.header()
        carried.database.standing()
        carried.database.rows()
    sentence = refused.value.message.text("en")
    assert told in sentence
    assert str(carried.store.folder) in sentence
