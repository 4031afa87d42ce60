"""How an engine's text is read is asked in one place, whoever asks."""

from dataclasses import replace

import pytest

from glmtts_core.engines.checks import check_request
from glmtts_core.engines.kokoro.voices import VOICES
from glmtts_core.errors import TextError
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings
from glmtts_core.speech import SynthesisRequest
from tests.scripted_engine import ScriptedEngine

CAN = replace(ScriptedEngine(Settings(_env_file=None), Ledger()).capabilities, voices=VOICES)


@pytest.mark.parametrize(
    ("voice", "spoken"), [("zf_xiaobei", "十二"), ("bf_emma", "twelve"), ("jm_kumo", "十二")]
)
def test_figures_alone_are_read_in_the_voices_language(voice, spoken):
    assert CAN.reading("12", voice).spoken == spoken


def test_an_engine_that_reads_alone_gets_the_text_as_it_is():
    alone = replace(CAN, reads_alone=True)
    reading = alone.reading("5kg [laughter] Привет")
    assert (reading.spoken, reading.left_out) == ("5kg [laughter] Привет", ())
    check_request(SynthesisRequest(text="Привет", voice="bf_emma"), alone, 100)
    with pytest.raises(TextError):
        check_request(SynthesisRequest(text="🎉 …", voice="bf_emma"), alone, 100)


def test_the_voice_is_that_of_what_is_heard_not_of_tags():
    assert CAN.default_voice("[笑声] Hello world") == CAN.default_voice("Hello world")
