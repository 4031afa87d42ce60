"""The synthesis page over a tiny random checkpoint of GLM-TTS in the official layout."""

from __future__ import annotations

from contextlib import closing

import pytest
import streamlit as st

from glmtts_core.audio import encode_wav
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.studio.shared import use_studio
from glmtts_core.studio.studio import Studio
from tests.engines.glmtts.official_layout import write_checkpoint
from tests.engines.glmtts.tiny_engine import recording
from tests.ui.visitor import SYNTHESIS, Visitor

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit")


@pytest.fixture
def glmtts_studio(settings, tmp_path):
    write_checkpoint(tmp_path / "ckpt")
    there = settings.model_copy(update={"ckpt": tmp_path / "ckpt"})
    with closing(Studio(there)) as studio, use_studio(studio):
        yield studio
        st.cache_resource.clear()


def wav(seconds: float) -> bytes:
    spoken = recording(seconds)
    return encode_wav(spoken.samples, spoken.sample_rate_hz)


def voice_bytes(studio: Studio) -> int:
    return studio.ledger.snapshot().total_bytes(kinds={LedgerKind.VOICE_CACHE})


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_recording_is_cloned_at_both_rates(glmtts_studio, language):
    visitor = Visitor(SYNTHESIS, language).upload(wav(3.5))
    visitor.app.text_input(key="form_transcript").set_value("hello")
    visitor.run().speak("你好")
    visitor.app.segmented_control(key="form_sample_rate_hz").set_value(32_000)
    visitor.run().speak("你好")
    assert [record.sample_rate_hz for record in visitor.records] == [32_000, 24_000]
    assert {record.engine for record in visitor.records} == {"GLM-TTS"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_recording_that_is_too_short_is_told_before_anything_is_loaded(glmtts_studio, language):
    visitor = Visitor(SYNTHESIS, language).upload(wav(1.0), "short.wav")
    told = visitor.words("voice.too_short", name="short.wav", seconds="1.0", limit="3")
    assert told in visitor.read()
    assert not glmtts_studio.engine.loaded


def test_a_recording_without_its_words_gets_a_hint(glmtts_studio):
    visitor = Visitor(SYNTHESIS).upload(wav(3.5))
    assert visitor.words("voice.no_transcript", name="anna.wav") in visitor.read()


def test_cleaning_up_drops_the_voice_and_leaves_the_form(glmtts_studio):
    visitor = Visitor(SYNTHESIS).upload(wav(3.5)).speak("你好")
    assert voice_bytes(glmtts_studio) > 0
    visitor.click("sidebar_cleanup")
    assert voice_bytes(glmtts_studio) == 0
    assert visitor.app.text_area(key="form_text").value == "你好"
    assert visitor.session.saved_form.reference() == wav(3.5)
    assert len(visitor.speak("你好").records) == 2


def test_the_fold_under_the_text_shows_the_pieces_that_will_be_spoken(glmtts_studio):
    visitor = Visitor(SYNTHESIS).type("重5kg。It costs $5.")
    visitor.app.session_state["form_reading"] = True
    page = visitor.run().read()
    assert "重五千克" in page
    assert "five dollars" in page
