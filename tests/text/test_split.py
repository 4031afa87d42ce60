"""Sentences of any text, never too long, never with a word lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.text.split import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好。我很好！真的吗？", ["你好。", "我很好！", "真的吗？"]),
        ("He paid 3.14 dollars. Good.", ["He paid 3.14 dollars.", "Good."]),
        ("Dr. Smith met J. Doe. They left.", ["Dr. Smith met J. Doe.", "They left."]),
        ("“走吧。”他说。", ["“走吧。”", "他说。"]),
        ("第一行\n第二行", ["第一行", "第二行"]),
        ("a wrapped\nline of text.", ["a wrapped\nline of text."]),
        ("什么？！好……吧", ["什么？！", "好……", "吧"]),
        ("  ", []),
    ],
)
def test_sentences_end_where_a_reader_pauses(text, expected):
    assert sentences(text, 100) == expected


def test_a_long_sentence_is_cut_at_commas():
    assert sentences("我们去公园散步，然后吃饭，最后回家睡觉", 10) == [
        "我们去公园散步，",
        "然后吃饭，",
        "最后回家睡觉",
    ]


def test_without_commas_it_is_cut_at_spaces():
    assert sentences("one two three four five", 10) == ["one two", "three", "four five"]


def test_without_spaces_it_is_cut_anywhere():
    assert sentences("好" * 25, 10) == ["好" * 10, "好" * 10, "好" * 5]


def test_a_number_is_not_cut_at_its_comma():
    assert sentences("it costs 1,000,000 now", 14) == ["it costs", "1,000,000 now"]


@pytest.mark.parametrize(
    "token",
    [
        "12345678元", "Kubernetes", "2026-12-31", "2026年", "3.14159", "12:30", "GPT-4", "10~20人",
        "1,000,000", "$1234", "-15℃", "99.5%", "km/h", "a.b@cd.org", "don't", "naïveté",
    ],
)  # fmt: skip
def test_no_cut_tears_a_number_date_or_word_apart(token):
    text = "捐" * 10 + token + "用于" * 10
    for limit in range(len(token), len(text)):
        assert any(token in part for part in sentences(text, limit)), limit


def test_a_mark_inside_a_token_is_no_place_to_cut():
    text = "他们今天早上12:30出发，然后"
    assert sentences(text, 10)[0] == "他们今天早上"


def test_a_comma_before_a_number_is_a_place_to_cut():
    assert sentences("他们今天来了，300个人都到了", 11)[0] == "他们今天来了，"


def test_only_a_token_that_is_too_long_alone_is_cut():
    assert sentences("好" * 4 + "x" * 25, 10) == ["好" * 4, "x" * 10, "x" * 10, "x" * 5]


def test_sizes_may_differ_by_character():
    parts = sentences("abcdefgh " * 3 + "好" * 9, 12, lambda char: 4.0 if char == "好" else 1.0)
    assert parts == ["abcdefgh", "abcdefgh", "abcdefgh", "好好好", "好好好", "好好好"]


@given(
    st.text(alphabet=st.sampled_from(list("我们ab1.,，。!？… \n”J")), max_size=120),
    st.integers(8, 30),
)
def test_nothing_is_lost_and_nothing_is_too_long(text, max_chars):
    parts = sentences(text, max_chars)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(0 < len(part) <= max_chars for part in parts)
