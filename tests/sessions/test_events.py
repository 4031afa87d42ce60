"""Events come back as they were written; what cannot be read is told, and never guessed."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from glmtts_core.errors import StorageError
from glmtts_core.message import Message
from glmtts_core.sessions.event_log import Event, EventLimits, EventLog
from glmtts_core.sessions.events import Outcome
from glmtts_core.sessions.studio_database import StudioDatabase
from tests.sessions import happenings


@pytest.fixture
def database(tmp_path) -> StudioDatabase:
    return StudioDatabase(tmp_path)


@pytest.fixture
def log(database) -> EventLog:
    return EventLog(database, EventLimits(max_age_days=7))


EVENTS: list[Event] = [
    happenings.cleanup(),
    replace(happenings.cleanup(), session=None, promise_exact=True, by_layer={}),
    happenings.load(),
    happenings.eviction(),
    replace(happenings.eviction(), session=None, engines=(), caches_of=()),
    happenings.failure(),
    replace(happenings.failure(), engine=None, memory=None),
    replace(happenings.failure(), message=Message("storage.write", {"folder": "a", "reason": "b"})),
    happenings.engine_loss(),
    happenings.experiment(),
    replace(happenings.experiment(), outcome=Outcome.DONE, message=None, folder=None),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_as_it_was_written(log, event):
    log.add(event)
    (read,) = log.recent(type(event))
    assert read == event
    assert [type(getattr(read, each.name)) for each in fields(event)] == [
        type(getattr(event, each.name)) for each in fields(event)
    ]


def test_events_of_a_kind_are_listed_newest_first(log):
    for name in ("first", "second", "third"):
        log.add(happenings.load(engine=name))
    log.add(happenings.failure())
    loads = log.recent(type(happenings.load()), limit=2)
    assert [load.engine for load in loads] == ["third", "second"]


def test_a_cleanup_learns_what_the_next_synthesis_has_paid(log):
    written = happenings.cleanup()
    log.add(written)
    second = log.add(written)
    log.complete_cleanup(second, load_s=2.5, seconds=0.75, growth_bytes=-3)
    assert log.recent(type(written)) == [
        replace(written, next_load_s=2.5, next_seconds=0.75, next_growth_bytes=-3),
        written,
    ]


def test_a_cleanup_that_is_gone_learns_nothing(log):
    log.complete_cleanup(1, load_s=0.0, seconds=0.5, growth_bytes=1)
    assert log.recent(type(happenings.cleanup())) == []


def test_a_sentence_that_this_version_lacks_is_read_as_one_that_says_so(log):
    event = replace(happenings.failure(), message=Message("no.such.sentence"))
    log.add(event)
    (read,) = log.recent(type(event))
    assert read.message == Message("stored.unknown_reason", {"key": "no.such.sentence"})


@pytest.mark.parametrize(
    ("event", "column", "value"),
    [
        (happenings.cleanup(), "asked_by", "a ghost"),
        (happenings.cleanup(), "level", ""),
        (happenings.cleanup(), "by_layer", "[]"),
        (happenings.load(), "memory", "{}"),
        (happenings.load(), "memory", "{"),
        (happenings.eviction(), "reason", "spite"),
        (happenings.eviction(), "engines", "{}"),
        (happenings.failure(), "priority", "first"),
        (happenings.failure(), "message", "null"),
        (happenings.experiment(), "outcome", "so so"),
    ],
)
def test_a_row_that_says_something_else_is_told_as_damage(
    log: EventLog, database: StudioDatabase, event: Any, column: str, value: str
):
    log.add(event)
    with database.transaction() as connection:
        table = type(event).__name__.lower()
        connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
    with pytest.raises(StorageError) as refused:
        log.recent(type(event))
    assert refused.value.message.key == "database.damaged"
