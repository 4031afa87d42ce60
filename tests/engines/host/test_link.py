"""The connection: what arrives whole, and that nothing else is taken for a message."""

from __future__ import annotations

import os
import pickle
import struct
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from pydantic import ValidationError

from glmtts_core.engines.base import Progress, Stage
from glmtts_core.engines.host.link import Link
from glmtts_core.engines.host.protocol import (
    COMMAND,
    EVENT,
    Ask,
    Cancel,
    Command,
    Event,
    GoOn,
    Question,
    Reported,
    Synthesize,
)
from tests.waiting import BOUND_S


class Pair:
    """Both ends: commands go one way, and bytes can be written as a message or as they are."""

    def __init__(self) -> None:
        to_child, self.raw = os.pipe()
        to_parent, from_child = os.pipe()
        self.parent: Link[Event] = Link(to_parent, self.raw, EVENT)
        self.child: Link[Command] = Link(to_child, from_child, COMMAND)

    def send_bytes(self, frame: bytes) -> None:
        os.write(self.raw, struct.pack("!i", len(frame)) + frame)

    def close(self) -> None:
        self.parent.close()
        self.child.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


def with_arrays(*shapes: tuple[int, ...]) -> Synthesize:
    return Synthesize(job=1, owner="a", request={}, recording=None, shapes=shapes)


def test_messages_arrive_in_order_with_their_arrays(pair):
    arrays = [np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros(0, np.float32)]
    pair.parent.send(with_arrays((2, 3), (0,)), arrays)
    pair.parent.send(GoOn())
    message, received = pair.child.receive()
    assert message == with_arrays((2, 3), (0,))
    assert [each.tolist() for each in received] == [each.tolist() for each in arrays]
    assert pair.child.receive() == (GoOn(), [])


@pytest.mark.parametrize(
    "array",
    [
        np.arange(8, dtype=np.float64)[::-2],
        np.asfortranarray(np.ones((3, 4), np.float32)),
        np.arange(4, dtype=">f4"),
        np.float32(3.5),
    ],
    ids=["backwards", "columns first", "big-endian", "a figure"],
)
def test_samples_lie_as_they_like_in_memory(pair, array):
    pair.parent.send(with_arrays(np.shape(array)), [array])
    (received,) = pair.child.receive()[1]
    assert received.dtype == np.float32
    assert np.array_equal(received, array)


def test_messages_of_many_threads_are_not_mixed_up(pair):
    numbers = range(200)

    def send(first: int) -> None:
        for number in numbers[first::4]:
            pair.parent.send(with_arrays((number,)), [np.full(number, number, np.float32)])

    threads = [threading.Thread(target=send, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    received = [pair.child.receive() for _ in numbers]
    for thread in threads:
        thread.join(BOUND_S)
    assert sorted(len(sounds[0]) for _, sounds in received) == list(numbers)
    assert all((sounds[0] == len(sounds[0])).all() for _, sounds in received)


def test_progress_arrives_as_it_was(pair):
    progress = Progress(Stage.SPEECH_TOKENS, 0.5, 2, 3, 40, 400, "engine.cancelled")
    pair.child.send(Reported(progress=progress))
    assert pair.parent.receive()[0] == Reported(progress=progress)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x00\xff\xfe garbage",
        b"{",
        b"null",
        b"[]",
        b'{"kind": "explode"}',
        b'{"job": 1}',
        b'{"kind": "cancel"}',
        b'{"kind": "cancel", "job": "one"}',
        b'{"kind": "cancel", "job": 1, "more": 2}',
        b'{"kind": "done"}',
        b'{"kind": "go_on"}{"kind": "go_on"}',
        pickle.dumps({"kind": "go_on"}),
        b"[" * 100_000,
    ],
    ids=repr,
)
def test_what_is_no_message_is_refused(pair, frame):
    threading.Thread(target=pair.send_bytes, args=(frame,), daemon=True).start()
    with pytest.raises(ValidationError):
        pair.child.receive()


def test_a_pickle_is_never_carried_out(pair):
    class Bomb:
        def __reduce__(self):
            return os._exit, (9,)

    pair.send_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValidationError):
        pair.child.receive()


def test_an_array_of_another_size_than_told_is_refused(pair):
    pair.parent.send(with_arrays((4,)), [np.zeros(3, np.float32)])
    with pytest.raises(ValueError, match="reshape"):
        pair.child.receive()


@pytest.mark.parametrize(
    "sent", [b"", b"\x00\x00", struct.pack("!i", 50) + b"only this"], ids=["none", "head", "body"]
)
def test_a_frame_that_breaks_off_is_the_end(pair, sent):
    os.write(pair.raw, sent)
    pair.parent.close()
    with pytest.raises((EOFError, OSError)):
        pair.child.receive()


def test_sending_to_nobody_is_told(pair):
    pair.child.close()
    with pytest.raises(OSError):
        pair.parent.send(GoOn())
    with pytest.raises(OSError):
        pair.parent.send_within(GoOn(), 0.0)


def test_sending_after_the_end_is_told(pair):
    pair.parent.close()
    with pytest.raises(OSError):
        pair.parent.send(Cancel(job=1))


def test_a_question_is_left_out_where_it_would_have_to_wait(pair):
    question = Ask(number=0, question=Question.ALIVE)
    assert pair.parent.send_within(question, 0.0)
    os.set_blocking(pair.raw, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(pair.raw, bytes(4096))
    os.set_blocking(pair.raw, True)
    assert not pair.parent.send_within(question, 0.0)


def test_the_connection_is_not_closed_amid_a_send(pair):
    """Or the handle's number may be that of another file by the time the rest is written."""
    count = 4 * 2**20
    sending = threading.Thread(
        target=pair.parent.send, args=(with_arrays((count,)), [np.ones(count, np.float32)])
    )
    sending.start()
    closing = threading.Thread(target=pair.parent.close)
    # the pipe holds less than that, so it is amid the send from here on
    assert isinstance(
        pair.child._incoming.validate_json(pair.child._reading.recv_bytes()), Synthesize
    )
    closing.start()
    assert len(pair.child._reading.recv_bytes()) == 4 * count
    for thread in (sending, closing):
        thread.join(BOUND_S)
        assert not thread.is_alive()
