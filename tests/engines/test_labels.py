"""Progress in words: what is known of it, and nothing more."""

from __future__ import annotations

import pytest

from glmtts_core.engines.base import Progress, Stage
from glmtts_core.engines.labels import progress_line


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (Progress(Stage.TEXT, 0.0), "Text · 0%"),
        (
            Progress(Stage.LOADING, 0.4, label_key="check.part.speech_tokenizer"),
            "Loading the model · speech tokenizer · 40%",
        ),
        (Progress(Stage.MEL, 0.4, 1, 1), "Mel spectrogram · 40%"),
        (Progress(Stage.MEL, 0.4, 2, 3), "Mel spectrogram · 40% · piece 2 of 3"),
        (
            Progress(Stage.SPEECH_TOKENS, 0.4, 2, 3, tokens=120, most_tokens=460),
            "Speech tokens · 40% · piece 2 of 3 · 120 of at most 460 tokens",
        ),
    ],
)
def test_a_line_tells_what_is_known(progress, line):
    assert progress_line(progress, "en") == line


def test_the_line_is_in_the_language_of_the_page():
    progress = Progress(Stage.SPEECH_TOKENS, 0.4, 1, 1, tokens=120, most_tokens=460)
    assert progress_line(progress, "zh") == "语音 token · 40% · 120 / 最多 460 个 token"
