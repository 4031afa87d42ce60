"""What an engine does not offer is refused in one sentence, and what it offers is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glmtts_core.engines.checks import check_request
from glmtts_core.errors import RequestError, TextError
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings
from glmtts_core.speech import ReferenceAudio, SynthesisRequest
from tests.scripted_engine import CloningEngine, ScriptedEngine

PLAIN = ScriptedEngine(Settings(_env_file=None), Ledger()).capabilities
CLONING = replace(CloningEngine(Settings(_env_file=None), Ledger()).capabilities, voices=())
REFERENCE = ReferenceAudio(np.zeros(24_000, np.float32), 24_000, "anna.wav", "what she says")
REQUEST = SynthesisRequest(text="hello", voice="alpha")


@pytest.mark.parametrize(
    "change",
    [{}, {"speed": 0.5}, {"speed": 2.0}, {"sample_rate_hz": 32_000}, {"seed": 7}, {"text": "一"}],
)
def test_what_an_engine_offers_is_let_through(change):
    check_request(REQUEST.changed(**change), PLAIN, 100)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"text": ""}, TextError, "no text"),
        ({"text": "a" * 101}, TextError, "at most 100"),
        ({"text": "?!…"}, TextError, "Nothing in this text"),
        ({"voice": "nobody"}, RequestError, "no voice called nobody"),
        ({"speed": 2.1}, RequestError, "out of range"),
        ({"speed": float("nan")}, RequestError, "out of range"),
        ({"sample_rate_hz": 8_000}, RequestError, "8000 Hz"),
        ({"sampling": "ras"}, RequestError, "no sampling method ras"),
        ({"history": True}, RequestError, "no history"),
        ({"reference": REFERENCE}, RequestError, "cannot clone"),
    ],
)
def test_what_an_engine_lacks_is_refused_with_what_to_do(change, kind, words):
    with pytest.raises(kind, match=words):
        check_request(REQUEST.changed(**change), PLAIN, 100)


def test_a_cloning_engine_takes_a_recording_in_place_of_a_voice():
    request = REQUEST.changed(voice=None, reference=REFERENCE, history=True, sampling="topk")
    check_request(request, CLONING, 100)


def test_a_cloning_engine_without_a_recording_asks_for_one():
    with pytest.raises(RequestError, match="Add a reference recording"):
        check_request(REQUEST.changed(voice=None), CLONING, 100)


def test_where_speed_cannot_be_set_only_the_natural_one_is_taken():
    capabilities = replace(PLAIN, speed_range=None)
    check_request(REQUEST, capabilities, 100)
    with pytest.raises(RequestError, match="out of range"):
        check_request(REQUEST.changed(speed=1.1), capabilities, 100)
