"""A voice speaks its own language natively; who does not is told, and who would is named."""

from __future__ import annotations

import pytest

from glmtts_core.catalogue import LANGUAGES
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.engines.checks import check_choices
from glmtts_core.engines.voice_language import foreign_voice
from glmtts_core.errors import RequestError
from glmtts_core.memory.ledger import Ledger
from glmtts_core.speech import SynthesisRequest
from tests.scripted_engine import CloningEngine, NativeEngine, ScriptedEngine

MANDARIN, ENGLISH, MIXED = "明天早上见。", "See you tomorrow.", "明天的 meeting 取消了。"


@pytest.fixture
def can(settings) -> Capabilities:
    return NativeEngine(settings, Ledger()).capabilities


# -- who speaks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "order"),
    [("zh", "mei lin ann sam kumo"), ("en", "ann sam mei lin kumo")],
)
def test_natives_of_a_language_are_offered_first_and_those_of_neither_last(can, language, order):
    assert [voice.id for voice in can.voices_for(language)] == order.split()


@pytest.mark.parametrize(
    ("words", "second", "voice"),
    [
        (MANDARIN, None, "mei"),
        (ENGLISH, None, "ann"),
        (MIXED, None, "mei"),
        ("…", None, "mei"),
        (MIXED, "sam", "mei"),
        (MIXED, "lin", "ann"),
        (ENGLISH, "sam", "mei"),
    ],
)
def test_a_voice_that_is_not_named_is_the_preferred_one_of_the_text(can, words, second, voice):
    asked = SynthesisRequest(text=words, voice=None, second_voice=second)
    assert can.with_voice(asked) == asked.changed(voice=voice)


def test_a_voice_that_is_named_stays(can):
    asked = SynthesisRequest(text=ENGLISH, voice="kumo")
    assert can.with_voice(asked) == asked


def test_an_engine_that_clones_is_given_no_voice(settings):
    asked = SynthesisRequest(text=ENGLISH, voice=None)
    assert CloningEngine(settings, Ledger()).capabilities.with_voice(asked) == asked


# -- who has an accent -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "voice", "second", "native"),
    [
        (MANDARIN, "lin", None, None),
        (MIXED, "lin", None, None),
        (ENGLISH, "sam", None, None),
        (MANDARIN, "sam", None, "mei"),
        (MIXED, "sam", None, "mei"),
        (ENGLISH, "lin", None, "ann"),
        (MANDARIN, "kumo", None, "mei"),
        (ENGLISH, "kumo", None, "ann"),
        (MIXED, "sam", "lin", None),
        (ENGLISH, "lin", "sam", None),
        ("12 …", "sam", None, None),
        (MANDARIN, "nobody", None, None),
        (MANDARIN, None, None, None),
    ],
)
def test_a_voice_that_is_foreign_to_the_text_is_told(can, words, voice, second, native):
    found = foreign_voice(SynthesisRequest(text=words, voice=voice, second_voice=second), can)
    assert (found.native.id if found else None) == native
    if found:
        told = {found.message("NATIVE").text(language) for language in LANGUAGES}
        assert len(told) == len(LANGUAGES)
        assert all("NATIVE" in sentence for sentence in told)


def test_nothing_is_told_where_nobody_is_native(settings):
    can = ScriptedEngine(settings, Ledger()).capabilities
    assert foreign_voice(SynthesisRequest(text=MANDARIN, voice="alpha"), can) is None


# -- a second voice ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("voice", "second"),
    [("mei", "sam"), ("sam", "mei"), ("kumo", "ann"), (None, "ann"), ("mei", None)],
)
def test_a_second_voice_of_another_language_is_taken(can, voice, second):
    check_choices(SynthesisRequest(text=MIXED, voice=voice, second_voice=second), can)


@pytest.mark.parametrize(
    ("voice", "second", "key"),
    [
        ("mei", "lin", "request.second_voice_same"),
        ("mei", "mei", "request.second_voice_same"),
        ("mei", "kumo", "request.second_voice_language"),
        ("mei", "nobody", "request.voice"),
    ],
)
def test_a_second_voice_that_has_nothing_to_say_is_refused(can, voice, second, key):
    with pytest.raises(RequestError) as error:
        check_choices(SynthesisRequest(text=MIXED, voice=voice, second_voice=second), can)
    assert error.value.message.key == key


@pytest.mark.parametrize("engine", [ScriptedEngine, CloningEngine])
def test_an_engine_without_natives_of_both_languages_has_no_second_voice(settings, engine):
    can = engine(settings, Ledger()).capabilities
    with pytest.raises(RequestError) as error:
        check_choices(SynthesisRequest(text=MIXED, voice="alpha", second_voice="kumo"), can)
    assert error.value.message.key == "request.no_second_voice"
