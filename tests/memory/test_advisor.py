"""Advice comes with its reason, and only where a cleanup is worth it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from glmtts_core.memory.advisor import SpokenFacts, advise
from glmtts_core.memory.promises import Promise

MIB = 2**20
PLAIN = SpokenFacts(10.0, 20, 24_000, None, 0)
GROWN = replace(PLAIN, growth_bytes=50 * MIB)


def key(spoken, *, loaded=1.0, cleaned=None, reclaimable=500 * MIB) -> str | None:
    promise = Promise(reclaimable, exact=True)
    found = advise(spoken, loaded_at_s=loaded, last_cleanup_s=cleaned, reclaimable=promise)
    if found is None:
        return None
    assert all(found.text(language) for language in ("zh", "en"))
    return found.key.removeprefix("memory.advice.")


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ([], "first_start"),
        ([PLAIN], None),
        ([PLAIN, replace(PLAIN, reference_hash="b")], "reference_switched"),
        ([PLAIN, replace(PLAIN, sample_rate_hz=32_000)], "rate_switched"),
        ([replace(PLAIN, text_chars=100)], None),
        ([replace(PLAIN, text_chars=101)], "long_text"),
        ([GROWN, GROWN], None),
        ([GROWN, GROWN, GROWN], "growing"),
        ([GROWN, PLAIN, GROWN, GROWN], None),
        ([GROWN, GROWN, replace(GROWN, reference_hash="b", text_chars=500)], "growing"),
        ([PLAIN, replace(PLAIN, reference_hash="b", text_chars=500)], "reference_switched"),
        ([replace(PLAIN, text_chars=500), PLAIN], None),
    ],
)
def test_the_most_urgent_reason_is_given(spoken, expected):
    assert key(spoken) == expected


@pytest.mark.parametrize("spoken", [[], [GROWN] * 3, [replace(PLAIN, text_chars=500)]])
def test_nothing_is_advised_where_little_would_come_back(spoken):
    assert key(spoken, reclaimable=64 * MIB - 1) is None
    assert key(spoken, reclaimable=64 * MIB) is not None


@pytest.mark.parametrize("spoken", [[], [GROWN] * 3, [replace(PLAIN, text_chars=500)]])
def test_a_cleanup_settles_all_reasons(spoken):
    assert key(spoken, cleaned=11.0) is None


def test_only_syntheses_since_the_cleanup_make_a_trend():
    assert key([GROWN, GROWN, replace(GROWN, at_s=12.0)], cleaned=11.0) is None


def test_a_switch_is_seen_across_a_cleanup():
    spoken = [PLAIN, replace(PLAIN, at_s=12.0, sample_rate_hz=32_000)]
    assert key(spoken, cleaned=11.0) == "rate_switched"


@pytest.mark.parametrize(("exact", "words"), [(True, "90 MiB"), (False, "≈ 90 MiB")])
def test_an_estimate_is_called_one(exact, words):
    promise = Promise(90 * MIB, exact)
    found = advise([], loaded_at_s=1.0, last_cleanup_s=None, reclaimable=promise)
    assert found.details["reclaimable"] == words


def test_without_an_engine_there_is_no_first_start():
    assert key([], loaded=None) is None
