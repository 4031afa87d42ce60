"""This program's reading comes before the reference's front end, which can be had alone."""

import json
import unicodedata
from pathlib import Path

import pytest

from glmtts_core.engines.glmtts.text.frontend import normalize_text, pieces_to_speak
from glmtts_core.engines.glmtts.text.spoken_text import sentences_of, transcript_of
from glmtts_core.text.reading import read_text
from tests.many_cases import assert_none

FORMS = [
    json.loads(line)
    for line in (Path(__file__).parents[3] / "data" / "spoken_forms.jsonl")
    .read_text("utf-8")
    .splitlines()
]


def words(text):
    """Return the letters and ideographs of ``text``, whatever their case."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).lower() if char.isalnum())


@pytest.mark.parametrize("text", ["2024-10-01", "气温-5℃", "¥1299元", "C++和Node.js"])
def test_the_reference_alone_takes_the_text_as_it_is(text):
    assert sentences_of(text, "reference") == pieces_to_speak(text)
    assert transcript_of(f" {text} ", "reference") == normalize_text(text) + " "


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("气温-5℃", "气温负五摄氏度。"),
        ("2024-10-01发布", "二零二四年十月一日发布。"),
        ("It costs $5.", "it costs five dollars."),
    ],
)
def test_figures_are_words_before_the_reference_sees_them(text, piece):
    assert sentences_of(text, "studio") == [piece]


def test_the_reference_drops_no_word_of_a_reading():
    handed = {
        form["text"]: (
            read_text(form["text"]).spoken,
            "".join(sentences_of(form["text"], "studio")),
        )
        for form in FORMS
    }
    assert_none(
        f"of {text!r}, {spoken!r} became {sentences!r}"
        for text, (spoken, sentences) in handed.items()
        if words(sentences) != words(spoken)
    )


def test_a_transcript_without_words_is_empty():
    assert transcript_of("  ", "studio") == transcript_of("🎉", "studio") == ""
    assert transcript_of(" ", "reference") == ""
