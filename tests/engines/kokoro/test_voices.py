"""The built-in voices: their data as published, their names, and which one speaks which part."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from glmtts_core.catalogue import LANGUAGES, text
from glmtts_core.engines.base import SpokenAudio
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.kokoro import model_file
from glmtts_core.engines.kokoro.engine import KokoroEngine
from glmtts_core.engines.kokoro.model_file import japanese_voices_path, native_voices_path
from glmtts_core.engines.kokoro.voices import VOICES
from glmtts_core.errors import ModelFileError
from glmtts_core.memory.ledger import Ledger
from glmtts_core.speech import SynthesisRequest
from tests.scripted_engine import LoadOnly

FOLDER = Path(model_file.__file__).with_name("styles")
NATIVE = [voice for voice in VOICES if voice.language is not None]
#: How a voice's language is called in its label.
LANGUAGE_WORDS = {
    "z": ("Mandarin", "普通话"),
    "a": ("American English", "美式英语"),
    "b": ("British English", "英式英语"),
    "j": ("Japanese accent", "日语口音"),
}
SEX_WORDS = {"f": ("woman", "女声"), "m": ("man", "男声")}


# -- the list ----------------------------------------------------------------------------------


def test_mandarin_voices_come_first_then_english_ones_and_the_japanese_last():
    assert [voice.language for voice in VOICES] == ["zh"] * 8 + ["en"] * 12 + [None] * 5


def test_every_voice_is_in_the_list_once():
    names = [
        name for file in (native_voices_path(), japanese_voices_path()) for name in arrays(file)
    ]
    assert sorted(names) == sorted(voice.id for voice in VOICES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_label_tells_the_language_and_is_like_no_other(language):
    position = ["en", "zh"].index(language)
    labels = [text(voice.label_key, language) for voice in VOICES]
    assert len(set(labels)) == len(labels)
    for voice, label in zip(VOICES, labels, strict=True):
        assert LANGUAGE_WORDS[voice.id[0]][position] in label
        assert f" {SEX_WORDS[voice.id[1]][position]} " in label


# -- the data ----------------------------------------------------------------------------------


def arrays(file: Path) -> dict[str, np.ndarray]:
    with np.load(file) as voices:
        return {name: voices[name] for name in voices.files}


def test_the_style_vectors_are_whole():
    for styles in arrays(native_voices_path()).values():
        assert (styles.shape, styles.dtype) == ((510, 1, 256), np.float16)
        assert np.isfinite(styles).all()


def test_the_notice_names_origin_license_and_hashes():
    notice = (FOLDER / "NOTICE").read_text()
    assert "kokoro-js 1.2.1" in notice
    assert "Apache License, Version 2.0" in notice
    assert hashlib.sha256(native_voices_path().read_bytes()).hexdigest() in notice
    hashes = dict(re.findall(r"^(\w+) +([0-9a-f]{64}) ", notice, re.MULTILINE))
    assert sorted(hashes) == sorted(voice.id for voice in NATIVE)


@pytest.mark.parametrize(
    ("damage", "key"),
    [("missing", "kokoro.voices_missing"), ("changed", "kokoro.voices_damaged")],
)
def test_voices_that_are_missing_or_damaged_are_told(tmp_path, monkeypatch, damage, key):
    file = tmp_path / "voices.npz"
    if damage == "changed":
        data = bytearray(native_voices_path().read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    monkeypatch.setattr(model_file, "_NATIVE_VOICES", file)
    with pytest.raises(ModelFileError) as error:
        native_voices_path()
    assert error.value.message.key == key
    assert all(str(file) in error.value.text(language) for language in LANGUAGES)


# -- who speaks what ---------------------------------------------------------------------------


def speak(kokoro: KokoroEngine, words: str, voice: str | None, second: str | None = None):
    asked = SynthesisRequest(text=words, voice=voice, second_voice=second)
    return kokoro.synthesize(asked, SessionCaches("a" * 32, Ledger()), LoadOnly())


def same(one: SpokenAudio, other: SpokenAudio) -> bool:
    return np.array_equal(one.samples, other.samples)


@pytest.mark.voice
@pytest.mark.parametrize(("words", "language"), [("明天见。", "zh"), ("Good night.", "en")])
def test_a_text_without_a_named_voice_is_spoken_by_the_first_of_its_language(
    kokoro, words, language
):
    first = next(voice.id for voice in VOICES if voice.language == language)
    assert speak(kokoro, words, None).voices == (first,)


@pytest.mark.voice
def test_mixed_text_keeps_one_voice(kokoro):
    assert speak(kokoro, "我有 coffee。", "zm_yunxi").voices == ("zm_yunxi",)


@pytest.mark.voice
@pytest.mark.parametrize("pair", [("zm_yunxi", "af_heart"), ("af_heart", "zm_yunxi")])
def test_with_a_second_voice_each_language_has_its_own(kokoro, pair):
    spoken = speak(kokoro, "我爱喝 coffee。Good night.", *pair)
    assert spoken.voices == ("zm_yunxi", "af_heart")


@pytest.mark.voice
def test_a_second_voice_is_silent_where_its_language_does_not_occur(kokoro):
    alone = speak(kokoro, "明天见。", "zm_yunxi")
    both = speak(kokoro, "明天见。", "zm_yunxi", "af_heart")
    assert both.voices == ("zm_yunxi",)
    assert same(alone, both)
