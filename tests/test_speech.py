"""How to speak: options, overrides, and what is said about values that cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from glmtts_core.catalogue import LANGUAGES
from glmtts_core.errors import RequestError
from glmtts_core.speech import (
    OPTION_NAMES,
    SEEDS,
    ReferenceAudio,
    SpeechOptions,
    SpeechOverride,
    SynthesisRequest,
    checked,
    new_seed,
    wrong_value,
)


def test_an_override_takes_nothing_from_options_that_it_leaves_open():
    options = SpeechOptions(voice="anna", speed=1.2, seed=7, engine="GLM-TTS")
    assert options.overridden(SpeechOverride()) == options


def test_what_an_override_gives_holds():
    options = SpeechOptions(voice="anna", speed=1.2, history=True)
    given = SpeechOverride(voice="bert", speed=0.8, seed=0, history=False)
    told = options.overridden(given)
    assert (told.voice, told.speed, told.seed, told.history) == ("bert", 0.8, 0, False)


def test_an_override_has_every_option_and_options_have_the_engine_too():
    assert set(SpeechOptions.model_fields) - set(OPTION_NAMES) == {"engine"}
    assert SpeechOverride().given() == {}


def test_history_is_kept_under_the_name_that_files_have():
    kept = SpeechOptions(history=True).model_dump_json()
    assert '"use_history":true' in kept
    assert SpeechOptions.model_validate_json(kept).history


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"seed": -1}, "-1"),
        ({"seed": SEEDS}, str(SEEDS)),
        ({"speed": 0.0}, "number above 0"),
        ({"speed": float("nan")}, "number above 0"),
        ({"sample_rate_hz": 0}, "sample rate"),
        ({"voice": "\udcff"}, "voice"),
        ({"voice": "x" * 201}, "voice"),
    ],
)
def test_a_value_that_no_engine_could_take_is_refused_with_its_option(values, words):
    with pytest.raises(RequestError, match=words):
        checked(SpeechOptions, values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wrong_seed_is_told_the_highest_one(language):
    assert str(SEEDS - 1) in wrong_value("seed", "-1").text(language)


def test_an_option_that_does_not_exist_is_a_bug():
    with pytest.raises(ValidationError):
        SpeechOverride(pitch=2)


def test_a_request_holds_its_recording_as_it_is_and_any_text():
    reference = ReferenceAudio(np.zeros(8, np.float32), 8_000, "a.wav")
    request = SynthesisRequest(text="\ud800", reference=reference, **SpeechOptions().values())
    assert request.reference is reference
    assert request.text == "\ud800"


def test_new_seeds_are_seeds():
    assert all(0 <= new_seed() < SEEDS for _ in range(100))
