"""A session's caches: bounded, least recently used out first, and the ledger always agrees."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.engines.caches import SessionCaches
from glmtts_core.memory.ledger import Ledger, LedgerKind

VOICE, RESULTS = LedgerKind.VOICE_CACHE, LedgerKind.RESULTS


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def caches(ledger: Ledger) -> SessionCaches:
    return SessionCaches("anna", ledger, limit_bytes=100)


def test_what_is_kept_is_found_under_its_kind_and_key(caches):
    caches.put(VOICE, "one", "a voice", 10)
    assert caches.get(VOICE, "one") == "a voice"
    assert caches.get(RESULTS, "one") is None
    assert caches.get(VOICE, "two") is None


def test_the_same_key_replaces(caches, ledger):
    caches.put(VOICE, "one", "old", 60)
    caches.put(VOICE, "one", "new", 70)
    assert caches.get(VOICE, "one") == "new"
    assert ledger.snapshot().total_bytes() == 70


def test_over_the_limit_the_least_recently_used_entry_goes_first(caches):
    caches.put(VOICE, "one", 1, 40)
    caches.put(VOICE, "two", 2, 40)
    caches.get(VOICE, "one")
    caches.put(VOICE, "three", 3, 40)
    kept = [key for key in ("one", "two", "three") if caches.get(VOICE, key)]
    assert kept == ["one", "three"]


def test_each_kind_has_a_limit_of_its_own(caches, ledger):
    caches.put(VOICE, "one", 1, 90)
    caches.put(RESULTS, "one", 1, 90)
    assert ledger.snapshot().total_bytes() == 180


def test_what_fills_the_limit_exactly_is_kept(caches):
    caches.put(VOICE, "one", 1, 100)
    assert caches.get(VOICE, "one") == 1


def test_what_exceeds_the_whole_limit_is_not_kept_and_drives_nothing_out(caches):
    caches.put(VOICE, "one", 1, 100)
    caches.put(VOICE, "huge", 2, 101)
    assert (caches.get(VOICE, "huge"), caches.get(VOICE, "one")) == (None, 1)


def test_a_new_value_too_large_to_keep_leaves_no_old_one_under_its_key(caches, ledger):
    caches.put(VOICE, "one", "old", 10)
    caches.put(VOICE, "one", "new", 101)
    assert caches.get(VOICE, "one") is None
    assert ledger.snapshot().total_bytes() == 0


def test_the_ledger_knows_owner_and_place_of_what_is_kept(caches, ledger):
    caches.put(VOICE, "one", 1, 10, on_device=True)
    assert ledger.snapshot().total_bytes(kinds={VOICE}, owner="anna", on_device=True) == 10


def test_dropping_takes_one_entry_and_is_possible_twice(caches, ledger):
    caches.put(VOICE, "one", 1, 10)
    caches.put(VOICE, "two", 2, 20)
    caches.drop(VOICE, "one")
    caches.drop(VOICE, "one")
    assert ledger.snapshot().total_bytes() == 20


def test_clearing_leaves_nothing_behind(caches, ledger):
    caches.put(VOICE, "one", 1, 10)
    caches.put(RESULTS, "two", 2, 20)
    caches.clear()
    assert (caches.get(VOICE, "one"), ledger.snapshot().entries) == (None, ())


def test_caches_of_two_sessions_know_nothing_of_each_other(caches, ledger):
    bert = SessionCaches("bert", ledger)
    caches.put(VOICE, "one", "anna's", 10)
    bert.put(VOICE, "one", "bert's", 10)
    bert.clear()
    assert caches.get(VOICE, "one") == "anna's"
    assert ledger.snapshot().total_bytes() == 10


def test_threads_that_fill_and_empty_at_once_leave_ledger_and_caches_in_agreement(caches, ledger):
    def work(thread: int) -> None:
        for turn in range(200):
            caches.put(VOICE, str((thread + turn) % 7), turn, 30)
            if turn % 20 == 0:
                caches.clear()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert ledger.snapshot().total_bytes() <= 100


KEYS = st.sampled_from("abcd")
KINDS = st.sampled_from([VOICE, RESULTS, LedgerKind.HISTORY])
ACTIONS = st.one_of(
    st.tuples(st.just("put"), KINDS, KEYS, st.integers(0, 120)),
    st.tuples(st.just("get"), KINDS, KEYS),
    st.tuples(st.just("drop"), KINDS, KEYS),
    st.tuples(st.just("clear")),
)


class Model:
    """What the caches should hold: for each kind a list of keys and sizes, oldest use first."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.kept: dict[LedgerKind, dict[str, int]] = {}

    def put(self, kind: LedgerKind, key: str, size: int) -> None:
        of_kind = self.kept.setdefault(kind, {})
        of_kind.pop(key, None)
        if size <= self.limit_bytes:
            of_kind[key] = size
        while sum(of_kind.values()) > self.limit_bytes:
            del of_kind[next(iter(of_kind))]

    def get(self, kind: LedgerKind, key: str) -> None:
        of_kind = self.kept.get(kind, {})
        if key in of_kind:
            of_kind[key] = of_kind.pop(key)

    def drop(self, kind: LedgerKind, key: str) -> None:
        self.kept.get(kind, {}).pop(key, None)

    def clear(self) -> None:
        self.kept.clear()

    def entries(self) -> set[tuple[LedgerKind, str, int]]:
        return {(kind, key, size) for kind, keys in self.kept.items() for key, size in keys.items()}


@given(st.lists(ACTIONS, max_size=40))
def test_any_run_of_actions_keeps_the_right_entries_and_the_ledger_agrees(actions):
    ledger = Ledger()
    caches, model = SessionCaches("anna", ledger, limit_bytes=100), Model(100)
    for name, *given_values in actions:
        if name == "put":
            kind, key, size = given_values
            caches.put(kind, key, object(), size)
        else:
            getattr(caches, name)(*given_values)
        getattr(model, name)(*given_values)
        entries = ledger.snapshot().entries
        assert {(each.kind, each.name, each.size_bytes) for each in entries} == model.entries()
