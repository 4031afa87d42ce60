"""Voices on the pages: the default by the language, an accent told, a voice for each language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st

from glmtts_core.catalogue import LANGUAGES, Language, text
from glmtts_core.studio.shared import use_studio
from glmtts_core.studio.studio import Studio
from tests.scripted_engine import NativeEngine
from tests.ui.visitor import BATCH, SYNTHESIS, Visitor

NATIVES = {"zh": "mei", "en": "ann"}
SAMPLES = {"zh": "明天早上见。", "en": "See you tomorrow."}


@pytest.fixture
def studio(settings) -> Iterator[Studio]:
    """A studio whose engine has native voices of both languages."""
    opened = Studio(settings, NativeEngine)
    with use_studio(opened):
        yield opened
        st.cache_resource.clear()
    opened.close()


@pytest.fixture
def visitor(studio) -> Visitor:
    """A visitor who reads English, on the synthesis page."""
    return Visitor(SYNTHESIS)


def other(language: Language) -> Language:
    return "zh" if language == "en" else "en"


def notice(visitor: Visitor, key: str, native: str) -> str:
    return visitor.words(f"voice_language.{key}", native=text(native, visitor.language))


# -- the default -------------------------------------------------------------------------------


@pytest.mark.usefixtures("studio")
@pytest.mark.parametrize("page", [SYNTHESIS, BATCH])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_default_follows_the_pages_language_until_a_voice_is_chosen(page, language):
    prefix = "form" if page == SYNTHESIS else "batch"
    visitor = Visitor(page, language)
    assert visitor.app.selectbox(key=f"{prefix}_voice").value == NATIVES[language]
    visitor.choose_language(other(language))
    assert visitor.app.selectbox(key=f"{prefix}_voice").value == NATIVES[other(language)]
    visitor.app.selectbox(key=f"{prefix}_voice").set_value("kumo")
    visitor.run().choose_language(language)
    assert visitor.app.selectbox(key=f"{prefix}_voice").value == "kumo"


@pytest.mark.usefixtures("studio")
@pytest.mark.parametrize("language", LANGUAGES)
def test_voices_of_the_pages_language_are_offered_first(language):
    options = Visitor(SYNTHESIS, language).app.selectbox(key="form_voice").options
    first = {"zh": "kokoro.voice.zf_xiaobei", "en": "kokoro.voice.af_heart"}[language]
    assert options[0] == text(first, language)
    assert options[-1] == text("kokoro.voice.jm_kumo", language)


# -- an accent is told -------------------------------------------------------------------------


def test_a_text_in_another_language_than_the_voice_is_told(visitor):
    told = notice(visitor, "mandarin_in_english_voice", "kokoro.voice.zf_xiaobei")
    assert told not in visitor.read()
    assert told in visitor.type(SAMPLES["zh"]).read()
    visitor.app.selectbox(key="form_voice").set_value("lin")
    assert told not in visitor.run().read()
    told = notice(visitor, "english_in_mandarin_voice", "kokoro.voice.af_heart")
    assert told in visitor.type(SAMPLES["en"]).read()


def test_a_japanese_voice_is_told_for_both_languages(visitor):
    visitor.app.selectbox(key="form_voice").set_value("kumo")
    told = notice(visitor.run(), "english_in_japanese_voice", "kokoro.voice.af_heart")
    assert told in visitor.read()
    told = notice(visitor, "mandarin_in_japanese_voice", "kokoro.voice.zf_xiaobei")
    assert told in visitor.type(SAMPLES["zh"]).read()


# -- a second voice ----------------------------------------------------------------------------


def test_a_second_voice_speaks_and_is_told_with_the_result(visitor, studio):
    visitor.app.selectbox(key="form_voice").set_value("lin")
    visitor.run().app.selectbox(key="form_second_voice").set_value("sam")
    visitor.run().speak("明天的 meeting")
    asked = studio.engine.requests[0]
    assert (asked.voice, asked.second_voice) == ("lin", "sam")
    assert visitor.words("result.voice", voice="lin + sam") in visitor.read()
    record = visitor.records[0]
    assert (record.voice, record.second_voice) == ("lin", "sam")


def test_without_a_second_voice_there_is_one_voice(visitor, studio):
    visitor.speak("明天的 meeting")
    assert (studio.engine.requests[0].voice, studio.engine.requests[0].second_voice) == (
        "ann",
        None,
    )


def test_a_second_voice_is_of_the_language_that_the_first_does_not_speak(visitor):
    second = visitor.app.selectbox(key="form_second_voice")
    assert second.options == [text(f"kokoro.voice.{v}", "en") for v in ("zf_xiaobei", "zm_yunxi")]
    second.set_value("lin")
    visitor.run().app.selectbox(key="form_voice").set_value("mei")
    second = visitor.run().app.selectbox(key="form_second_voice")
    assert second.options == [text(f"kokoro.voice.{v}", "en") for v in ("af_heart", "am_michael")]
    assert second.value is None


def test_a_second_voice_is_kept_over_a_reload(visitor):
    visitor.app.selectbox(key="form_second_voice").set_value("lin")
    visitor.run()
    again = Visitor(SYNTHESIS, session_id=visitor.session.id)
    assert again.app.selectbox(key="form_second_voice").value == "lin"
