"""The treemap's parts add up to the byte, whatever the sources say, and nothing is made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.catalogue import LANGUAGES, text
from glmtts_core.diagnostics.breakdown import MemoryPart, device_breakdown, host_breakdown, rows
from glmtts_core.memory.ledger import LedgerEntry, LedgerKind, LedgerSnapshot, WeightsPart
from tests.memory.stand_in_devices import device, reading
from tests.memory.test_layers import readings
from tests.speaking import ANNA, BERT

MIB = 2**20
ENTRIES = st.builds(
    LedgerEntry,
    st.sampled_from(LedgerKind),
    st.sampled_from(["engine", ANNA, BERT]),
    st.sampled_from(["one", "two"]),
    st.integers(0, 60),
    st.booleans(),
    st.none() | st.sampled_from(WeightsPart),
)
LEDGERS = st.builds(LedgerSnapshot, st.lists(ENTRIES, max_size=8).map(tuple))


def sums_match(part: MemoryPart) -> bool:
    if not part.children:
        return part.size_bytes >= 0
    whole = sum(child.size_bytes for child in part.children)
    return whole == part.size_bytes and all(map(sums_match, part.children))


def sizes(part: MemoryPart) -> dict[str, int]:
    return {child.name.text("en"): child.size_bytes for child in part.children}


def child(part: MemoryPart, name: str) -> MemoryPart:
    return next(each for each in part.children if each.name.text("en") == name)


@given(readings(), LEDGERS)
def test_a_gpus_parts_add_up_to_the_card(taken, kept):
    found = device_breakdown(taken, kept, 0)
    total = taken.devices[0].total_bytes
    if total is None:
        assert found is None
    else:
        assert found.size_bytes == total
        assert sums_match(found)


@given(readings(), LEDGERS)
def test_the_hosts_parts_add_up_to_the_machine(taken, kept):
    found = host_breakdown(taken, kept)
    assert found.size_bytes == max(taken.host_total_bytes, taken.resident_set_bytes)
    assert sums_match(found)


def gpu(process: int | None = 50):
    entries = (
        LedgerEntry(LedgerKind.WEIGHTS, "engine", "llama", 15, True, WeightsPart.LANGUAGE_MODEL),
        LedgerEntry(LedgerKind.VOICE_CACHE, ANNA, "jiayan", 3, True),
        LedgerEntry(LedgerKind.HISTORY, BERT, "1", 1, True),
    )
    taken = reading(
        devices=(device(0, used=60, total=100, process=process),),
        main_device=0,
        allocated_bytes=25,
        reserved_bytes=35,
        weights_bytes=15,
        weights_on_device_bytes=15,
        caches_bytes=4,
        caches_on_device_bytes=4,
        idle_bytes=7,
        device_parts={WeightsPart.LANGUAGE_MODEL: 15},
    )
    return device_breakdown(taken, LedgerSnapshot(entries), 0)


def test_a_gpu_from_the_card_down_to_the_caches_of_a_session():
    found = gpu()
    assert sizes(found) == {"this program": 50, "other programs": 10, "free": 40}
    ours = child(found, "this program")
    assert sizes(ours) == {
        "language model": 15,
        "caches": 4,
        "workspace": 9,
        "reclaimable": 7,
        "program": 15,
    }
    assert sizes(child(ours, "language model")) == {"llama": 15}
    assert sizes(child(ours, "caches")) == {"voice caches": 3, "spoken history": 1}
    assert sizes(child(child(ours, "caches"), "voice caches")) == {"session aaaa…": 3}


def test_networks_that_are_not_needed_now_are_named_and_marked():
    entries = [
        LedgerEntry(kind, "engine", name, size * MIB, True, WeightsPart.TOKENIZER)
        for kind, name, size in (
            (LedgerKind.WEIGHTS, "speaker", 1),
            (LedgerKind.SPARE_WEIGHTS, "speech tokenizer", 4),
        )
    ]
    parts = {WeightsPart.TOKENIZER: 5 * MIB}
    taken = reading(
        devices=(device(used=60 * MIB, process=50 * MIB),),
        main_device=0,
        allocated_bytes=20 * MIB,
        reserved_bytes=30 * MIB,
        weights_on_device_bytes=5 * MIB,
        device_parts=parts,
    )
    whole = device_breakdown(taken, LedgerSnapshot(tuple(entries)), 0)
    tokenizer = child(child(whole, "this program"), text("layer.tokenizer", "en"))
    assert sizes(tokenizer) == {"speaker": MIB, "speech tokenizer, not needed now": 4 * MIB}


def test_where_the_driver_does_not_tell_our_share_the_rest_is_unknown():
    assert sizes(gpu(process=None)) == {"this program": 35, "unknown": 25, "free": 40}


def test_a_cache_that_came_after_the_reading_does_not_break_the_sum():
    taken = reading(resident_set_bytes=100, host_total_bytes=500, caches_bytes=10)
    late = LedgerEntry(LedgerKind.RESULTS, ANNA, "7", 80, False)
    early = LedgerEntry(LedgerKind.VOICE_CACHE, ANNA, "1", 8, False)
    found = host_breakdown(taken, LedgerSnapshot((late, early)))
    caches = child(child(found, "this program"), "caches")
    assert sizes(caches) == {"voice caches": 8, "unknown": 2}


def test_a_session_is_not_given_away_by_its_whole_id():
    names = {row.part.name.text("en") for row in rows(gpu())}
    assert not any(ANNA[:8] in name for name in names)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rows_of_the_treemap_hold_every_part_once(language):
    found = rows(gpu())
    assert [row.number for row in found] == list(range(len(found)))
    assert found[0].parent is None
    for row in found[1:]:
        assert row.part in found[row.parent].part.children
        assert row.part.name.text(language)
