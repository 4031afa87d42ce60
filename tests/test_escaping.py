"""Outside words in HTML and chart texts stay words."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from glmtts_core.escaping import chart_text, html


class Read(HTMLParser):
    """What a browser reads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += data


HOSTILE = (
    "<b>b</b>",
    '" onload="x()',
    "' onload='x()",
    "</script><script>x()</script>",
    "<!--<script>",
    "&lt;b&gt; &amp;",
    "a > b && c < d",
)


@pytest.mark.parametrize("words", HOSTILE)
def test_words_are_read_as_they_are_in_text_and_in_either_kind_of_quotes(words):
    read = Read(f"<p title=\"{html(words)}\" lang='{html(words)}'>{html(words)}</p>")
    assert read.tags == [("p", {"title": words, "lang": words})]
    assert read.words == words


def test_half_a_surrogate_pair_can_be_written():
    assert html("a\ud800").encode() == b"a?"
    assert chart_text("a\ud800").encode() == b"a?"


def test_chart_texts_hold_no_tags_and_no_entities_of_others():
    assert chart_text("<a href='x'>a</a> &lt;") == "&lt;a href='x'&gt;a&lt;/a&gt; &amp;lt;"
