"""Errors as plain values: the same class and sentence on the other side."""

from __future__ import annotations

from enum import Enum, StrEnum
from pathlib import Path

import numpy as np
import pytest

from glmtts_core import errors
from glmtts_core.engines.host.foreign_errors import PlainError, PlainMessage, sendable
from glmtts_core.errors import (
    CheckpointError,
    EngineError,
    GLMTTSError,
    OutOfMemoryError,
    TextError,
)
from glmtts_core.message import Message

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, GLMTTSError)
]


class Colour(StrEnum):
    RED = "red"


class Plain(Enum):
    ONE = 1


class OfSomePackageError(CheckpointError):
    """A class that only one process knows."""


def sent(error: BaseException) -> GLMTTSError:
    """Return ``error`` as it arrives."""
    return PlainError.model_validate_json(PlainError.of(error).model_dump_json()).error()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_class_arrives_as_itself(kind):
    arrived = sent(kind("text.too_long", chars=7, limit=5))
    assert type(arrived) is kind
    assert arrived.message == Message("text.too_long", {"chars": 7, "limit": 5})


def test_a_class_that_only_one_side_knows_arrives_as_the_nearest_one():
    assert type(sent(OfSomePackageError("text.empty"))) is CheckpointError


def test_a_class_of_another_version_is_an_error_of_the_engine():
    plain = PlainError(kind="NewError", message=PlainMessage(key="text.empty", details={}))
    assert type(plain.error()) is EngineError


@pytest.mark.parametrize("requested", [None, 0, 2**40])
def test_the_size_of_a_failed_allocation_arrives(requested):
    arrived = sent(OutOfMemoryError("engine.out_of_memory", requested_bytes=requested))
    assert isinstance(arrived, OutOfMemoryError)
    assert arrived.requested_bytes == requested


def test_a_memory_error_is_one_of_ours():
    assert type(sent(MemoryError())) is OutOfMemoryError


@pytest.mark.parametrize("error", [KeyError("x"), SystemExit(2), KeyboardInterrupt(), OSError(5)])
def test_what_nobody_expected_becomes_a_sentence_with_its_class(error):
    arrived = sent(error)
    assert type(arrived) is EngineError
    assert type(error).__name__ in arrived.text("en")


def test_messages_within_messages_stay_messages_in_both_languages():
    inner = Message("text.too_long", {"chars": 7, "limit": Message("text.empty")})
    message = EngineError("engine.no_pytorch", reason=inner).message
    for language in ("en", "zh"):
        assert sent(EngineError(message.key, **message.details)).text(language) == message.text(
            language
        )


def test_an_error_within_an_error_is_a_message_on_the_other_side():
    arrived = sent(EngineError("engine.no_pytorch", reason=TextError("text.empty")))
    assert Message("text.empty").text("zh") in arrived.text("zh")


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        (True, True),
        (7, 7),
        (2**80, 2**80),
        (1.0, 1.0),
        (None, None),
        ("5", "5"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (np.float32(0.5), "0.5"),
        (np.int64(3), "3"),
        (Colour.RED, "red"),
        (Plain.ONE, "Plain.ONE"),
        (Path("/a b"), "/a b"),
        (["x"], "['x']"),
        ("old-\udcff", "old-?"),
        (Path("old-\udcff"), "old-?"),
    ],
    ids=repr,
)
def test_every_value_arrives_as_it_is_shown(value, arrives):
    found = sent(EngineError("engine.unexpected", reason=value)).message.details["reason"]
    assert found == arrives
    assert type(found) is type(arrives)


@pytest.mark.parametrize("words", ["", "plain", "语音 𝄞", "\x00\n"])
def test_words_that_can_be_sent_stay_as_they_are(words):
    assert sendable(words) == words
