"""What is kept for each session, and which sessions a browser has open."""

from __future__ import annotations

import pytest

from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.sessions.registry import TAKEOVER_S, SessionRegistry
from glmtts_core.sessions.studio_database import StudioDatabase
from glmtts_core.studio.jobs import Job
from tests.speaking import ANNA, BERT, request


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def sessions(settings, ledger) -> SessionRegistry:
    return SessionRegistry(settings, ledger, StudioDatabase(settings.output_dir))


def test_a_session_is_opened_once(sessions):
    assert sessions.entry(ANNA) is sessions.entry(ANNA)
    assert sessions.entry(ANNA) is not sessions.entry(BERT)


def test_what_is_no_session_id_opens_nothing(sessions):
    with pytest.raises(ValueError, match="session id"):
        sessions.lease("../../etc")
    assert sessions.idle_ids() == []


def test_a_session_is_leased_to_one_browser_at_a_time(sessions):
    assert sessions.lease(ANNA)
    assert not sessions.lease(ANNA)
    sessions.end_lease(ANNA)
    assert sessions.lease(ANNA)


def test_ending_the_lease_of_an_unknown_session_is_no_error(sessions):
    sessions.end_lease(ANNA)
    assert not sessions.closed(ANNA)


def test_a_session_counts_as_closed_once_its_lease_has_ended(sessions):
    sessions.lease(ANNA)
    assert not sessions.closed(ANNA)
    sessions.end_lease(ANNA)
    assert sessions.closed(ANNA)


def test_forgetting_a_closed_session_hands_out_its_caches(sessions):
    caches = sessions.entry(ANNA).caches
    assert sessions.forget(ANNA) is caches
    assert sessions.forget(ANNA) is None


def test_a_session_that_was_opened_again_is_not_forgotten(sessions):
    entry = sessions.entry(ANNA)
    sessions.lease(ANNA)
    assert sessions.forget(ANNA) is None
    assert sessions.entry(ANNA) is entry


def test_a_closed_session_with_a_job_gives_its_caches_but_is_found_again(sessions):
    entry = sessions.entry(ANNA)
    entry.job = Job(ANNA, request())
    assert sessions.forget(ANNA) is entry.caches
    assert sessions.entry(ANNA) is entry


def test_sessions_without_a_job_are_idle(sessions):
    sessions.entry(ANNA).job = Job(ANNA, request())
    sessions.entry(BERT)
    assert sessions.idle_ids() == [BERT]
    sessions.entry(ANNA).job.cancel()
    assert sessions.idle_ids() == [ANNA, BERT]


def test_caches_are_found_for_known_sessions_only(sessions):
    assert sessions.caches_of([ANNA, BERT]) == []
    anna = sessions.entry(ANNA)
    assert sessions.caches_of([ANNA, BERT]) == [anna.caches]


def test_a_sessions_caches_are_written_down_under_its_id(sessions, ledger):
    sessions.entry(ANNA).caches.put(LedgerKind.VOICE_CACHE, "voice", object(), 10)
    assert ledger.snapshot().total_bytes(owner=ANNA) == 10


def test_a_holder_that_shows_itself_keeps_its_session(sessions):
    holder = object()
    assert sessions.lease(ANNA, holder)
    assert sessions.lease(ANNA, holder)
    assert not sessions.lease(ANNA, object())


def test_the_session_of_a_silent_holder_goes_to_who_asks(sessions):
    silent, next_one = object(), object()
    assert sessions.lease(ANNA, silent)
    sessions.entry(ANNA).seen_s -= TAKEOVER_S + 1
    assert sessions.lease(ANNA, next_one)
    assert not sessions.lease(ANNA, silent)


def test_a_session_can_be_taken_back_from_who_has_it(sessions):
    first, second = object(), object()
    sessions.lease(ANNA, second)
    assert sessions.lease(ANNA, first, force=True)
    assert not sessions.lease(ANNA, second)


def test_a_holder_that_comes_late_to_leave_does_not_end_its_successors_lease(sessions):
    silent, next_one = object(), object()
    sessions.lease(ANNA, silent)
    sessions.entry(ANNA).seen_s -= TAKEOVER_S + 1
    sessions.lease(ANNA, next_one)
    sessions.end_lease(ANNA, silent)
    assert not sessions.closed(ANNA)
