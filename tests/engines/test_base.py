"""The wish to stop reaches the engine at any moment; a recording is known by its content."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from glmtts_core.engines.base import CancelToken, SpokenAudio
from glmtts_core.errors import SynthesisCancelled
from glmtts_core.speech import ReferenceAudio


class Stops:
    """Counts how often it was told to stop, from whatever thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def __call__(self) -> None:
        with self._lock:
            self.count += 1


@pytest.fixture
def token() -> CancelToken:
    return CancelToken()


def test_a_fresh_token_stops_nothing(token):
    with token.interrupting(stop := Stops()):
        token.raise_if_cancelled()
    assert (token.cancelled, stop.count) == (False, 0)


def test_a_cancelled_token_raises(token):
    token.cancel()
    with pytest.raises(SynthesisCancelled):
        token.raise_if_cancelled()


def test_cancelling_while_inside_stops_at_once(token):
    with token.interrupting(stop := Stops()):
        token.cancel()
        assert stop.count == 1


def test_entering_after_the_cancel_stops_at_once(token):
    token.cancel()
    with token.interrupting(stop := Stops()):
        assert stop.count == 1


def test_what_was_left_before_the_cancel_is_not_stopped(token):
    with token.interrupting(stop := Stops()):
        pass
    token.cancel()
    assert stop.count == 0


def test_what_was_left_by_an_error_is_not_stopped_either(token):
    stop = Stops()
    with pytest.raises(ZeroDivisionError), token.interrupting(stop):
        raise ZeroDivisionError
    token.cancel()
    assert stop.count == 0


def test_one_of_two_nested_stops_leaves_the_other_in_force(token):
    stop = Stops()
    with token.interrupting(stop):
        with token.interrupting(stop):
            pass
        token.cancel()
        assert stop.count == 1


def test_a_stop_may_look_at_the_token_it_came_from(token):
    seen = []
    with token.interrupting(lambda: seen.append(token.cancelled)):
        token.cancel()
    assert seen == [True]


def test_a_cancel_that_races_with_the_entry_is_never_lost():
    def enter(token: CancelToken, start: threading.Barrier, stop: Stops) -> None:
        start.wait()
        with token.interrupting(stop):
            start.wait()  # nobody leaves before the cancel is done

    def cancel(token: CancelToken, start: threading.Barrier) -> None:
        start.wait()
        token.cancel()
        start.wait()

    with ThreadPoolExecutor(2) as threads:
        for _ in range(300):
            token, start, stop = CancelToken(), threading.Barrier(2, timeout=10), Stops()
            entering = threads.submit(enter, token, start, stop)
            cancelling = threads.submit(cancel, token, start)
            entering.result()
            cancelling.result()
            assert stop.count >= 1


def test_a_recording_is_known_by_samples_and_rate_not_by_name():
    samples = np.linspace(-1, 1, 100, dtype=np.float32)
    one = ReferenceAudio(samples, 16_000, "one.wav")
    assert one.content_hash == ReferenceAudio(samples.copy(), 16_000, "two.wav", "hi").content_hash
    assert one.content_hash != ReferenceAudio(samples, 24_000, "one.wav").content_hash
    assert one.content_hash != ReferenceAudio(samples[:-1], 16_000, "one.wav").content_hash
    assert one.content_hash != ReferenceAudio(samples.reshape(50, 2), 16_000, "one").content_hash


def test_spoken_audio_knows_its_length():
    assert SpokenAudio(np.zeros(12_000, np.float32), 24_000, ()).duration_s == 0.5
