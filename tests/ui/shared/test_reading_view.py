"""What will be heard stands under the text, once somebody unfolds it."""

from __future__ import annotations

import html

import pytest

from glmtts_core.catalogue import LANGUAGES
from glmtts_core.engines.reader import Reader
from glmtts_core.errors import ReadingError
from tests.ui.visitor import SYNTHESIS, Visitor, shown


def unfold(visitor: Visitor) -> str:
    """Open the fold, and return what the page says; a tag is a space."""
    visitor.app.session_state["form_reading"] = True
    return " ".join(html.unescape(visitor.run().read()).split())


@pytest.mark.voice
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_are_shown_with_their_sounds(visit, language):
    page = unfold(visit(SYNTHESIS, language).type("我有5G手机，OK？"))
    for heard in ("手 shǒu", "五 wǔ", "OK？ ˌoʊkʰˈeɪ?"):
        assert heard in page


def test_a_folded_reading_loads_nothing(visit, monkeypatch):
    monkeypatch.setattr(Reader, "read", lambda *_: pytest.fail("it was folded"))
    visit(SYNTHESIS, "en").type("12 cats")


@pytest.mark.voice
def test_a_text_without_words_says_so(visit):
    visitor = visit(SYNTHESIS, "en").type("🎉")
    assert visitor.words("read.nothing") in unfold(visitor)


def test_a_part_that_cannot_be_read_is_one_sentence(visit, monkeypatch):
    error = ReadingError("text.unread_part", part="*x*")

    def fail(*_):
        raise error

    monkeypatch.setattr(Reader, "read", fail)
    visitor = visit(SYNTHESIS, "en")
    unfold(visitor)
    assert [shown(each.value) for each in visitor.app.error] == [error.text("en")]
