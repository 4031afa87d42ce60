"""Which language a stretch of text is in, and what of it can be spoken."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.text.script import HAN, left_out, main_language, runs, speakable

MIXTURE = st.text(
    alphabet=st.sampled_from(list("我有个是ABcd 0123.,，。-%$“”(（\n℃kgéü")), max_size=40
)


def told_apart(text: str) -> list[tuple[str, str]]:
    return [(run.language, run.text) for run in runs(speakable(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我有3个apple。", [("zh", "我有3个"), ("en", "apple。")]),
        ("今天很好。", [("zh", "今天很好。")]),
        ("Hello, I have 3 apples (2 kg).", [("en", "Hello, I have 3 apples (2 kg).")]),
        ("买了iPhone 15，很贵", [("zh", "买了"), ("en", "iPhone 15，"), ("zh", "很贵")]),
        ("我的iPhone 15个月了", [("zh", "我的"), ("en", "iPhone "), ("zh", "15个月了")]),
        ("用GPT-4写", [("zh", "用"), ("en", "GPT-4"), ("zh", "写")]),
        ("花了$999。", [("zh", "花了$999。")]),
        ("速度120km/h，重5 kg。", [("zh", "速度120km/h，重5 kg。")]),
        ("他说“OK”，走了", [("zh", "他说"), ("en", "“OK”，"), ("zh", "走了")]),
        ("2024-03-05", [("zh", "2024-03-05")]),
        ("3 apples", [("en", "3 apples")]),
        ("用Python 10~20人", [("zh", "用"), ("en", "Python "), ("zh", "10~20人")]),
        ("重5~8kg。", [("zh", "重5~8kg。")]),
        ("He was born in the 1990s, 王", [("en", "He was born in the 1990s, "), ("zh", "王")]),
        ("它有5000mAh电池", [("zh", "它有5000"), ("en", "mAh"), ("zh", "电池")]),
    ],
)
def test_digits_and_marks_join_the_right_neighbour(text, expected):
    assert told_apart(text) == expected


def test_a_text_of_digits_takes_the_language_that_is_asked_for():
    assert [run.language for run in runs("3.14", "en")] == ["en"]


@given(MIXTURE)
def test_runs_lose_nothing(text):
    assert "".join(run.text for run in runs(text)) == text


@given(MIXTURE)
def test_neighbouring_runs_differ_in_language(text):
    languages = [run.language for run in runs(text)]
    assert all(left != right for left, right in pairwise(languages))


@pytest.mark.parametrize("text", ["", "  \n", "🎉🎉", "こんにちは", "안녕하세요", "…！？", "%%%"])
def test_a_text_without_anything_to_say_becomes_empty(text):
    assert speakable(text) == ""


def test_what_cannot_be_spoken_makes_room_for_a_space():
    assert speakable("你好🎉世界 こんにちは OK") == "你好 世界 OK"


def test_full_width_and_foreign_digits_become_plain():
    assert speakable("ＡＢＣ１２３％ ٣") == "ABC123% 3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("½杯", "1/2杯"),
        ("1½ cups", "1 1/2 cups"),
        ("½3", "1/2 3"),
        ("1\u20442", "1/2"),
        ("⅞", "7/8"),
    ],
)
def test_a_fraction_of_one_character_becomes_two_numbers(text, expected):
    assert speakable(text) == expected


def test_what_a_reader_would_have_said_is_told_once():
    assert left_out("你好 Привет ∑ ∑ いい") == [*"Привет∑い"]


def test_decoration_and_what_is_spoken_is_not_told():
    assert left_out("你好🎉 ★ Hello ➜ ½ ٣ Ａ é \u0301 ~ 10%\n") == []


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text):
    assert speakable(speakable(text)) == speakable(text)


@given(st.text())
def test_nothing_but_what_was_there_is_spoken(text):
    assert len(re.findall(rf"[{HAN}]", speakable(text))) == len(re.findall(rf"[{HAN}]", text))


def test_one_ideograph_makes_a_text_mandarin():
    assert main_language("OK 好") == "zh"
    assert main_language("OK 1") == "en"
    assert main_language("1") == "zh"
