"""What is kept for each session, and which sessions a browser has open."""

from __future__ import annotations

import pytest

from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.sessions.registry import TAKEOVER_S, SessionSpaces
from glmtts_core.studio.jobs import Job
from tests.parts import ANNA, BERT, request


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def spaces(settings, ledger) -> SessionSpaces:
    return SessionSpaces(settings, ledger)


def test_a_session_is_opened_once(spaces):
    assert spaces.space(ANNA) is spaces.space(ANNA)
    assert spaces.space(ANNA) is not spaces.space(BERT)


def test_what_is_no_session_id_opens_nothing(spaces):
    with pytest.raises(ValueError, match="session id"):
        spaces.lease("../../etc")
    assert spaces.idle_ids() == []


def test_a_session_is_leased_to_one_browser_at_a_time(spaces):
    assert spaces.lease(ANNA)
    assert not spaces.lease(ANNA)
    spaces.end_lease(ANNA)
    assert spaces.lease(ANNA)


def test_ending_the_lease_of_an_unknown_session_is_no_error(spaces):
    spaces.end_lease(ANNA)
    assert not spaces.closed(ANNA)


def test_a_session_counts_as_closed_once_its_lease_has_ended(spaces):
    spaces.lease(ANNA)
    assert not spaces.closed(ANNA)
    spaces.end_lease(ANNA)
    assert spaces.closed(ANNA)


def test_forgetting_a_closed_session_hands_out_its_caches(spaces):
    caches = spaces.space(ANNA).caches
    assert spaces.forget(ANNA) is caches
    assert spaces.forget(ANNA) is None


def test_a_session_that_was_opened_again_is_not_forgotten(spaces):
    space = spaces.space(ANNA)
    spaces.lease(ANNA)
    assert spaces.forget(ANNA) is None
    assert spaces.space(ANNA) is space


def test_a_closed_session_with_a_job_gives_its_caches_but_is_found_again(spaces):
    space = spaces.space(ANNA)
    space.job = Job(ANNA, request())
    assert spaces.forget(ANNA) is space.caches
    assert spaces.space(ANNA) is space


def test_sessions_without_a_job_are_idle(spaces):
    spaces.space(ANNA).job = Job(ANNA, request())
    spaces.space(BERT)
    assert spaces.idle_ids() == [BERT]
    spaces.space(ANNA).job.cancel()
    assert spaces.idle_ids() == [ANNA, BERT]


def test_caches_are_found_for_known_sessions_only(spaces):
    assert spaces.caches_of([ANNA, BERT]) == []
    anna = spaces.space(ANNA)
    assert spaces.caches_of([ANNA, BERT]) == [anna.caches]


def test_a_sessions_caches_are_written_down_under_its_id(spaces, ledger):
    spaces.space(ANNA).caches.put(LedgerKind.VOICE_CACHE, "voice", object(), 10)
    assert ledger.snapshot().total_bytes(owner=ANNA) == 10


def test_a_holder_that_shows_itself_keeps_its_session(spaces):
    holder = object()
    assert spaces.lease(ANNA, holder)
    assert spaces.lease(ANNA, holder)
    assert not spaces.lease(ANNA, object())


def test_the_session_of_a_silent_holder_goes_to_who_asks(spaces):
    silent, next_one = object(), object()
    assert spaces.lease(ANNA, silent)
    spaces.space(ANNA).seen_s -= TAKEOVER_S + 1
    assert spaces.lease(ANNA, next_one)
    assert not spaces.lease(ANNA, silent)


def test_a_session_can_be_taken_back_from_who_has_it(spaces):
    first, second = object(), object()
    spaces.lease(ANNA, second)
    assert spaces.lease(ANNA, first, force=True)
    assert not spaces.lease(ANNA, second)


def test_a_holder_that_comes_late_to_leave_does_not_end_its_successors_lease(spaces):
    silent, next_one = object(), object()
    spaces.lease(ANNA, silent)
    spaces.space(ANNA).seen_s -= TAKEOVER_S + 1
    spaces.lease(ANNA, next_one)
    spaces.end_lease(ANNA, silent)
    assert not spaces.closed(ANNA)
