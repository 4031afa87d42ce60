"""A user's words never take effect as Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.ui.markdown import plain


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("hello there", "hello there"),
        ("今天天气很好，我们去散步。", "今天天气很好，我们去散步。"),
        ("two\nlines\tand   gaps", "two lines and gaps"),
        ("", ""),
        ("**bold**", r"\*\*bold\*\*"),
        (":red[x]", r"\:red\[x\]"),
        ("$x^2$", r"\$x^2\$"),
        ("<b>x</b>", r"\<b\>x\</b\>"),
        ("1. item", r"1\. item"),
        (r"back\slash", r"back\\slash"),
    ],
)
def test_words_come_out_in_one_line_with_signs_disarmed(words, line):
    assert plain(words) == line


def test_long_words_are_cut_with_an_ellipsis():
    assert plain("a" * 81) == "a" * 79 + "…"
    assert plain("a" * 80) == "a" * 80


@given(st.text(st.sampled_from("ab词，…\n\t \\`*_{}[]()#+-.!|<>:$~&")), st.integers(1, 50))
def test_no_sign_ever_stands_unarmed_and_nothing_else_changes(words, limit):
    line = plain(words, limit)
    bare = re.sub(r"\\(.)", r"\1", line)
    assert len(bare) <= limit
    assert bare.rstrip("…") in " ".join(words.split())
    assert not re.search(r"[`*_{}\[\]()#+\-.!|<>:$~&]", re.sub(r"\\.", "", line))
