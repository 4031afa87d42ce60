"""The log of events stays within its bounds, and gives no id twice."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from glmtts_core.message import Message
from glmtts_core.sessions.event_log import EventLimits, EventLog
from glmtts_core.sessions.events import Cleanup, Failure, Load
from glmtts_core.sessions.studio_database import StudioDatabase
from glmtts_core.sessions.studio_schema import EVENT_TABLES
from tests.forked import forked
from tests.sessions import happenings
from tests.sessions.histories import opened, save
from tests.waiting import BOUND_S

DAY_S = 86_400
MIB = 2**20


@pytest.fixture
def database(tmp_path) -> StudioDatabase:
    return StudioDatabase(tmp_path)


def log_of(database: StudioDatabase, **limits: int) -> EventLog:
    return EventLog(database, EventLimits(max_age_days=7, **limits))


def count(database: StudioDatabase, table: str) -> int:
    return database.rows(f"SELECT count(*) FROM {table}")[0][0]


def long_failure() -> Failure:
    """Return a failure that takes some 100 kB."""
    message = Message("storage.write", {"folder": "x" * 100_000, "reason": ""})
    return replace(happenings.failure(), message=message)


def used_bytes(database: StudioDatabase) -> int:
    pages, free = (database.rows(f"PRAGMA {each}_count")[0][0] for each in ("page", "freelist"))
    return (pages - free) * 4096


def test_looking_makes_no_file(database, tmp_path):
    assert log_of(database).recent(Load) == []
    assert list(tmp_path.iterdir()) == []


# -- by count ----------------------------------------------------------------------------------


def test_of_each_kind_only_the_newest_are_kept(database):
    log = log_of(database, max_events=3)
    log.add(happenings.failure())
    for number in range(5):
        log.add(happenings.load(engine=f"{number}"))
    assert [load.engine for load in log.recent(Load)] == ["4", "3", "2"]
    assert count(database, "failure") == 1


def test_ten_thousand_of_a_kind_are_kept_unless_something_else_is_said():
    assert EventLimits(max_age_days=7).max_events == 10_000


# -- by age ------------------------------------------------------------------------------------


def test_events_older_than_the_limit_go_with_the_next_one_of_whatever_kind(database):
    log = log_of(database)
    now_s = time.time()
    log.add(happenings.load(now_s - 6 * DAY_S, "young"))
    for event in (happenings.load, happenings.experiment, happenings.eviction):
        log.add(event(now_s - 7.01 * DAY_S))
    log.add(happenings.failure())
    assert [load.engine for load in log.recent(Load)] == ["young"]
    assert [count(database, each) for each in EVENT_TABLES] == [0, 1, 0, 1, 0, 0]


# -- by bytes ----------------------------------------------------------------------------------


def test_a_file_that_is_too_large_loses_the_older_half_of_each_kind(database):
    log = log_of(database, max_file_bytes=2 * MIB, min_events=2)
    for number in range(8):
        log.add(happenings.load(engine=f"{number}"))
    while count(database, "load") == 8:
        log.add(long_failure())
    assert [load.engine for load in log.recent(Load)] == ["7", "6", "5", "4"]
    assert used_bytes(database) < 1.5 * MIB


def test_the_file_stays_within_its_bound_however_much_is_written(database):
    log = log_of(database, max_file_bytes=2 * MIB, min_events=2)
    for _ in range(80):
        log.add(long_failure())
    database.close()
    assert database.path.stat().st_size <= 2 * MIB + 200_000


def test_results_that_fill_the_file_leave_the_fewest_events(database, tmp_path):
    history = opened(tmp_path)
    save(history, "long " * 50_000)
    log = log_of(database, max_file_bytes=100_000, min_events=3)
    for number in range(6):
        log.add(happenings.load(engine=f"{number}"))
    assert [load.engine for load in log.recent(Load)] == ["5", "4", "3"]
    assert len(history.list().records) == 1


# -- ids ---------------------------------------------------------------------------------------


def test_no_id_is_given_twice_though_the_newest_event_is_gone(database):
    log = log_of(database)
    first = log.add(happenings.cleanup())
    old = log.add(happenings.cleanup(time.time() - 8 * DAY_S))
    assert [first, old, log.add(happenings.cleanup())] == [1, 2, 3]
    assert len(log.recent(Cleanup)) == 2


def test_no_id_is_given_twice_after_a_restart(database, tmp_path):
    log = log_of(database)
    log.add(happenings.experiment())
    log.add(happenings.experiment(time.time() - 8 * DAY_S))
    database.close()
    assert log_of(StudioDatabase(tmp_path)).add(happenings.experiment()) == 3


# -- two programs ------------------------------------------------------------------------------


def _write_events(folder, name: str, many: int) -> None:
    log = EventLog(StudioDatabase(folder), EventLimits(max_age_days=7))
    for _ in range(many):
        log.add(happenings.load(engine=name))


@pytest.mark.process
def test_two_programs_that_write_at_once_lose_nothing(database, tmp_path):
    programs = [forked(_write_events, tmp_path, name, 40) for name in ("one", "two")]
    for each in programs:
        each.join(BOUND_S)
    assert [each.exitcode for each in programs] == [0, 0]
    engines = [load.engine for load in log_of(database).recent(Load)]
    assert sorted(engines) == ["one"] * 40 + ["two"] * 40
    assert log_of(database).add(happenings.load()) == 81
