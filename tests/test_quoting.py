"""Values from outside as messages show them: as they were written, never as Python writes them."""

from __future__ import annotations

import pytest

from glmtts_core.quoting import quoted


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('it\'s "so"', 'it\'s "so"'),
        (None, "null"),
        (True, "true"),
        (5, "5"),
        (1.5, "1.5"),
        (float("nan"), "NaN"),
        ([float("inf"), float("-inf")], "[Infinity, -Infinity]"),
        (["a", None, False], '["a", null, false]'),
        (("a",), '["a"]'),
        ({"a": {"b": 1}}, '{"a": {"b": 1}}'),
        ({1: "好"}, '{"1": "好"}'),
        ([], "[]"),
        ("a\nb\x00", "a b "),
    ],
)
def test_a_value_is_quoted_as_json_and_a_text_as_it_is(value, shown):
    assert quoted(value) == shown


@pytest.mark.parametrize("value", ["x" * 10**6, ["x" * 10**6] * 10, list(range(10**6))])
def test_a_long_value_is_cut(value):
    assert len(quoted(value)) == 61


def test_half_a_surrogate_pair_can_be_encoded():
    quoted(["\ud800", "\ud800"]).encode()


def test_deep_values_cost_no_recursion():
    value: list = []
    for _ in range(100_000):
        value = [value]
    assert quoted(value) == "[[[[…]]]]"
    while value:
        value = value.pop()
