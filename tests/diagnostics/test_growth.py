"""The slope and the verdict on traces whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from glmtts_core.byte_units import MIB
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.diagnostics.growth import CONFIDENCE, MIN_SYNTHESES, Trend, growth

RNG = np.random.default_rng(7)
NOISE = RNG.normal(0, 0.4, 20)


def trace(mib) -> list[int]:
    return [int(each * MIB) for each in mib]


GROWING = trace(300 + 5 * np.arange(20) + NOISE)
SETTLING = trace(300 + 80 * (1 - np.exp(-np.arange(20) / 2)) + 0.2 * NOISE)
STEADY = trace(300 + NOISE)
NOISY = trace(300 + RNG.normal(0, 60, 10))


@pytest.mark.parametrize(
    ("after_bytes", "trend"),
    [
        pytest.param(GROWING, Trend.GROWS, id="five MiB each time"),
        pytest.param(SETTLING, Trend.SETTLES, id="up to a plateau"),
        pytest.param(STEADY, Trend.STEADY, id="level, with noise"),
        pytest.param([300 * MIB] * 10, Trend.STEADY, id="exactly level"),
        pytest.param(trace(300 - 3 * np.arange(20)), Trend.STEADY, id="falling"),
        pytest.param(NOISY, Trend.UNCERTAIN, id="mere noise of 60 MiB"),
        pytest.param(GROWING[: MIN_SYNTHESES - 1], Trend.TOO_FEW, id="too few"),
        pytest.param([], Trend.TOO_FEW, id="none"),
    ],
)
def test_the_verdict_on_a_known_trace(after_bytes, trend):
    assert growth(after_bytes).trend is trend


def test_the_slope_and_its_interval_are_near_the_true_growth():
    found = growth(GROWING)
    assert found.late.bytes == pytest.approx(5 * MIB, rel=0.05)
    assert 4 * MIB < found.late.low_bytes < found.late.bytes < found.late.high_bytes < 6 * MIB


def test_one_cleanup_in_between_does_not_hide_the_growth():
    interrupted = list(GROWING)
    interrupted[15] -= 80 * MIB
    assert growth(interrupted).trend is Trend.GROWS


@given(st.lists(st.integers(0, 2**36), min_size=MIN_SYNTHESES, max_size=30), st.integers(0, 2**30))
def test_what_was_in_use_before_changes_nothing(after_bytes, more):
    higher = growth([each + more for each in after_bytes])
    assert higher.trend is growth(after_bytes).trend


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("after_bytes", [GROWING, SETTLING, STEADY, NOISY, []])
def test_every_verdict_has_a_sentence(after_bytes, language):
    assert growth(after_bytes).text(language)


@given(st.lists(st.integers(0, 50), min_size=MIN_SYNTHESES, max_size=40))
def test_the_slope_and_its_interval_are_those_of_scipy(mib):
    after_bytes = [each * MIB for each in mib]
    late = growth(after_bytes).late
    expected = stats.theilslopes(after_bytes[-max(6, len(mib) // 2) :], alpha=CONFIDENCE)
    assert late is not None
    assert (late.bytes, late.low_bytes, late.high_bytes) == pytest.approx(
        (expected.slope, expected.low_slope, expected.high_slope)
    )
