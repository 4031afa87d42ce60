from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.text.script import main_language, runs


def spans(text, default="zh"):
    return [(run.language, run.text) for run in runs(text, default)]


def test_a_text_is_split_where_its_language_changes():
    assert spans("我用 Python 写代码") == [("zh", "我用 "), ("en", "Python "), ("zh", "写代码")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好，world!", [("zh", "你好，"), ("en", "world!")]),
        ("看（see）吧", [("zh", "看"), ("en", "（see）"), ("zh", "吧")]),
        ("“OK”", [("en", "“OK”")]),
        ("…你好", [("zh", "…你好")]),
    ],
)
def test_a_mark_stays_with_its_word(text, expected):
    assert spans(text) == expected


def test_a_text_without_words_is_of_the_default_language():
    assert spans("…", "en") == [("en", "…")]
    assert spans("") == []


@given(st.text(alphabet="你好ab, 。“”（）é\n"))
def test_runs_give_the_text_unchanged_and_alternate(text):
    found = runs(text)
    assert "".join(run.text for run in found) == text
    assert all(one.language != other.language for one, other in pairwise(found))


def test_the_main_language_is_mandarin_as_soon_as_there_is_an_ideograph():
    assert main_language("OK 好") == "zh"
    assert main_language("OK 1") == "en"
    assert main_language("1") == "zh"
    assert main_language("1", "en") == "en"
