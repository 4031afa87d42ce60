"""The account of what is kept on purpose."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from glmtts_core.memory.ledger import CACHE_KINDS, Ledger, LedgerKind, WeightsPart


def filled() -> Ledger:
    ledger = Ledger()
    ledger.record(LedgerKind.WEIGHTS, "engine", "model", 1000, on_device=True)
    ledger.record(LedgerKind.VOICE_CACHE, "anna", "voice", 100, on_device=True)
    ledger.record(LedgerKind.HISTORY, "anna", "last", 20)
    ledger.record(LedgerKind.RESULTS, "bert", "one", 3)
    return ledger


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, 1123),
        ({"kinds": CACHE_KINDS}, 123),
        ({"owner": "anna"}, 120),
        ({"on_device": True}, 1100),
        ({"owner": "anna", "on_device": False}, 20),
        ({"kinds": ()}, 0),
    ],
)
def test_totals_add_up_what_fits_all_conditions(conditions, expected):
    assert filled().snapshot().total_bytes(**conditions) == expected


def test_the_same_name_replaces_and_a_snapshot_stays_as_it_was():
    ledger = filled()
    before = ledger.snapshot()
    ledger.record(LedgerKind.HISTORY, "anna", "last", 50)
    assert ledger.snapshot().total_bytes() - before.total_bytes() == 30


def test_forgetting_is_possible_twice():
    ledger = filled()
    ledger.forget(LedgerKind.RESULTS, "bert", "one")
    ledger.forget(LedgerKind.RESULTS, "bert", "one")
    assert ledger.snapshot().total_bytes(owner="bert") == 0


def test_a_negative_size_is_refused():
    with pytest.raises(ValueError, match="-1"):
        Ledger().record(LedgerKind.RESULTS, "anna", "one", -1)


def test_several_threads_lose_no_entry():
    ledger = Ledger()

    def keep(owner: int) -> None:
        for number in range(200):
            ledger.record(LedgerKind.RESULTS, str(owner), str(number), 1)
            ledger.snapshot()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(keep, range(4)))
    assert ledger.snapshot().total_bytes() == 800


def test_weights_are_added_up_by_network_and_place():
    ledger = Ledger()
    vocoder = WeightsPart.VOCODER
    ledger.record(LedgerKind.WEIGHTS, "engine", "hift", 10, on_device=True, part=vocoder)
    ledger.record(LedgerKind.WEIGHTS, "engine", "vocos", 5, on_device=True, part=vocoder)
    ledger.record(LedgerKind.WEIGHTS, "engine", "whole", 7, on_device=True)
    assert ledger.snapshot().weights_by_part(on_device=True) == {vocoder: 15}
    assert ledger.snapshot().weights_by_part(on_device=False) == {}


def test_sizes_by_kind_and_place_cover_every_entry():
    sizes = filled().snapshot().by_kind()
    assert sizes[LedgerKind.WEIGHTS, True] == 1000
    assert sizes[LedgerKind.WEIGHTS, False] == 0
    assert sum(sizes.values()) == 1123


def test_every_change_is_told_in_order_and_nothing_else():
    told = []
    ledger = Ledger(on_change=lambda entry, *, there: told.append((entry.name, there)))
    ledger.record(LedgerKind.RESULTS, "anna", "one", 3)
    ledger.record(LedgerKind.RESULTS, "anna", "one", 4)
    ledger.forget(LedgerKind.RESULTS, "anna", "two")
    ledger.forget(LedgerKind.RESULTS, "anna", "one")
    ledger.forget(LedgerKind.RESULTS, "anna", "one")
    assert told == [("one", True), ("one", True), ("one", False)]


def test_an_entry_of_another_ledger_is_kept_as_it_is():
    first, second = filled(), Ledger()
    for entry in first.snapshot().entries:
        second.keep(entry)
    assert second.snapshot() == first.snapshot()
