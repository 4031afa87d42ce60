"""A message says the same in both languages, and comes back from JSON as it was."""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from pydantic import TypeAdapter, with_config

from glmtts_core.catalogue import LANGUAGES, text
from glmtts_core.errors import AudioError
from glmtts_core.message import Message
from glmtts_core.stored import STRICT, StoredMessage

NO_SOUND = Message("audio.empty", {"name": "a.wav"})


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Kept:
    reason: StoredMessage


def read_back(message: Message) -> Message:
    stored = json.dumps({"reason": asdict(message)})
    return TypeAdapter(Kept).validate_json(stored, strict=True).reason


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_is_its_sentence_with_its_values(language):
    assert NO_SOUND.text(language) == text("audio.empty", language, name="a.wav")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_inside_a_message_is_shown_in_the_same_language(language):
    outer = Message("cli.batch_line", {"number": 3, "reason": NO_SOUND})
    inner = NO_SOUND.text(language)
    assert outer.text(language) == text("cli.batch_line", language, number=3, reason=inner)


def test_equal_messages_count_once():
    again = Message("audio.empty", {"name": "a.wav"})
    other = Message("audio.empty", {"name": "b.wav"})
    assert {NO_SOUND, again, other} == {NO_SOUND, other}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_says_its_message(language):
    error = AudioError("audio.empty", name="a.wav")
    assert error.message == NO_SOUND
    assert error.text(language) == NO_SOUND.text(language)
    assert str(error) == NO_SOUND.text("en")


def test_an_error_keeps_its_message_between_processes():
    error = pickle.loads(pickle.dumps(AudioError("audio.empty", name="a.wav")))
    assert error.message == NO_SOUND


# -- kept as JSON ------------------------------------------------------------------------------


def test_a_plain_message_comes_back_as_it_was():
    details = {"number": 3, "seconds": 1.5, "folder": Path("a"), "reason": NO_SOUND, "none": None}
    plain = Message("cli.batch_line", details).plain()
    assert plain.details == details | {
        "folder": "a",
        "reason": NO_SOUND.text("en"),
        "none": "None",
    }
    assert read_back(plain) == plain


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("key", "details"),
    [
        pytest.param("batch.line.of_long_ago", {"reason": "x"}, id="no such sentence"),
        pytest.param("batch.line.json", {"cause": "x"}, id="other values"),
        pytest.param("storage.write", {}, id="no values"),
    ],
)
def test_a_message_that_this_version_does_not_know_is_shown_with_its_key(key, details, language):
    shown = read_back(Message(key, details)).text(language)
    assert shown == text("stored.unknown_reason", language, key=key)
    assert key in shown
