"""What a kept reason says, also one that another version wrote."""

from __future__ import annotations

import pytest

from glmtts_core.batch.lines import LineProblem
from glmtts_core.batch.states import Reason
from glmtts_core.catalogue import LANGUAGES, text


def told(key: str, details: dict[str, object], language: str) -> tuple[str, str]:
    """Return what a failed line and a line set aside say."""
    problem = LineProblem(1, "", key, details, "")
    return Reason(key, details).text(language), problem.text(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_is_a_sentence_with_its_values(language):
    sentence = text("batch.line.json", language, position=3)
    assert told("batch.line.json", {"position": 3}, language) == (sentence, sentence)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("key", "details"),
    [
        pytest.param("batch.line.of_long_ago", {"reason": "x"}, id="no such sentence"),
        pytest.param("batch.line.json", {"cause": "x"}, id="other values"),
    ],
)
def test_a_reason_that_this_version_does_not_know_is_told_with_its_key(key, details, language):
    sentence = text("batch.unknown_reason", language, key=key)
    assert key in sentence
    assert told(key, details, language) == (sentence, sentence)
