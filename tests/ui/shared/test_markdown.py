"""A user's words never take effect as Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.catalogue import LANGUAGES, text
from glmtts_core.errors import AudioError, BatchError
from glmtts_core.message import Message
from glmtts_core.ui.shared.markdown import message_markdown, plain, sentence


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
        ("- item", r"\- item"),
        ("=== x", r"\=== x"),
        ("a &amp; b", r"a \&amp; b"),
        ("_a_ snake_case", r"\_a\_ snake_case"),
        ("half \ud800 a pair", "half ? a pair"),
        ("http://x.org", "http\u200b\\://x.org"),
        ("WWW.x.org", "WWW\u200b.x.org"),
        ("me@x.org", "me\u200b@x.org"),
        (":material/mic:", "\\:\u200bmaterial/mic\\:"),
        (":+1:", "\\:\u200b+1\\:"),
        ("a -> b", "a -\u200b\\> b"),
    ],
)
def test_words_come_out_in_one_line_with_signs_disarmed(words, line):
    assert plain(words) == line


def test_long_words_are_cut_with_an_ellipsis():
    assert plain("a" * 81) == "a" * 79 + "…"
    assert plain("a" * 80) == "a" * 80


ORDINARY = (
    "my_voice-1.wav",
    "000003.json",
    "Error: no such file (12:30), 49.4 %!",
    "/home/anna/outputs/run-1/lines.jsonl",
    "anna+bert's take no. 2",
    "录音（一）.wav",
)


@pytest.mark.parametrize("words", ORDINARY)
def test_ordinary_names_and_reasons_stay_as_they_are(words):
    assert plain(words) == words


@given(
    st.text(st.sampled_from("ab词，…\n\t \\`*_{}[]()#+-.!|<>:$~&=1"), max_size=40),
    st.integers(1, 50),
)
def test_no_sign_that_takes_effect_stands_unarmed_and_nothing_else_changes(words, limit):
    line = plain(words, limit)
    bare = re.sub(r"\\(.)", r"\1", line).replace("\u200b", "")
    assert len(bare) <= limit
    assert bare.rstrip("…") in " ".join(words.split())
    unarmed = re.sub(r"\\.", "\0", line)
    assert not re.search(r"[`*{}\[\]#|<>$~&]|^[-+=]|^\d+[.)](\s|$)", unarmed)
    assert not re.search(r":[^\s\d]|\b_|_\b|(?<!\S)(->|<-|--|>=|<=|~=)", unarmed)


HOSTILE = "![x](http://x.org) **b** :red[r] `c`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_keeps_its_own_marks_and_none_of_its_values(language):
    line = sentence("batch.amending", language, name=HOSTILE, id="run")
    assert line == text("batch.amending", language, name=plain(HOSTILE), id="run")
    assert "**" in line


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "what",
    [
        AudioError("audio.empty", name=HOSTILE),
        Message("audio.empty", {"name": HOSTILE}),
    ],
    ids=lambda what: type(what).__name__,
)
def test_errors_and_messages_are_shown_with_their_values_disarmed(what, language):
    shown = message_markdown(what, language)
    assert shown == text("audio.empty", language, name=plain(HOSTILE))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_inside_a_message_is_disarmed_as_well(language):
    inner = Message("audio.empty", {"name": HOSTILE})
    shown = message_markdown(BatchError("cli.batch_line", number=3, reason=inner), language)
    sentence_inside = plain(text("audio.empty", language, name=HOSTILE), limit=None)
    assert shown == text("cli.batch_line", language, number=3, reason=sentence_inside)
