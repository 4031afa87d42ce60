"""Summaries and comparisons of figures whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from glmtts_core.diagnostics.statistics import Conclusion, compare, summarise


def test_median_and_quartiles_are_the_textbook_ones():
    summary = summarise([1, 2, 3, 4, 5])
    assert (summary.lower_quartile, summary.median, summary.upper_quartile) == (2, 3, 4)


def test_the_interval_holds_the_median_and_lies_within_the_values():
    values = np.random.default_rng(3).normal(10, 2, 20)
    summary = summarise(values)
    low, high = summary.interval
    assert values.min() <= low <= summary.median <= high <= values.max()


def test_a_single_value_has_no_interval_and_no_value_no_summary():
    assert summarise([1.0]).interval is None
    assert summarise([]) is None


def test_values_that_do_not_vary_have_an_interval_of_one_point():
    assert summarise([2.0, 2.0, 2.0]).interval == (2.0, 2.0)


def test_arms_far_apart_differ():
    found = compare([1.0, 1.1, 0.9, 1.0], [3.0, 3.1, 2.9, 3.0])
    assert found.conclusion is Conclusion.LOWER
    assert found.difference == pytest.approx(-2.0)
    assert found.relative == pytest.approx(-2 / 3)
    assert compare([3.0, 3.1, 2.9, 3.0], [1.0, 1.1, 0.9, 1.0]).conclusion is Conclusion.HIGHER


def test_arms_that_overlap_do_not():
    found = compare([1.0, 3.0, 2.0, 5.0], [2.0, 1.5, 4.0, 2.5])
    assert found.conclusion is Conclusion.NO_DIFFERENCE_SEEN
    assert found.interval[0] < 0 < found.interval[1]


def test_three_trials_conclude_nothing_however_far_apart():
    assert compare([1, 1.1, 0.9], [9, 9.1, 8.9]).conclusion is Conclusion.TOO_FEW


def test_what_never_varies_is_called_identical():
    assert compare([1.0] * 4, [1.0] * 4).conclusion is Conclusion.IDENTICAL


def test_what_was_not_measured_is_not_compared():
    assert compare([], [1.0]).conclusion is Conclusion.NOT_MEASURED


def test_two_arms_drawn_from_the_same_source_rarely_differ():
    draw = np.random.default_rng(5)
    pairs = [draw.normal(0, 1, (2, 8)).tolist() for _ in range(40)]
    claimed = [compare(values, base).conclusion for values, base in pairs]
    wrong = [each for each in claimed if each is not Conclusion.NO_DIFFERENCE_SEEN]
    assert len(wrong) <= 6
