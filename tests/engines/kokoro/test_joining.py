"""Pieces become one timeline without a click."""

from __future__ import annotations

import numpy as np
import pytest

from glmtts_core.engines.kokoro.joining import joined, trimmed

RATE_HZ = 24_000


def between_silences(lead_s: float = 0.3, speech_s: float = 0.5, tail_s: float = 0.6) -> np.ndarray:
    times_s = np.arange(round(speech_s * RATE_HZ)) / RATE_HZ
    speech = 0.3 * np.cos(2 * np.pi * 200 * times_s)
    silence = [np.zeros(round(seconds * RATE_HZ)) for seconds in (lead_s, tail_s)]
    return np.concatenate([silence[0], speech, silence[1]]).astype(np.float32)


def test_silence_around_the_speech_goes_and_the_speech_stays():
    speech = trimmed(between_silences(), RATE_HZ)
    assert len(speech) / RATE_HZ == pytest.approx(0.6, abs=0.03)
    assert np.sum(speech**2) == pytest.approx(np.sum(between_silences() ** 2), rel=0.01)


def test_speech_up_to_the_very_edge_is_faded():
    speech = trimmed(between_silences(0, 0.5, 0), RATE_HZ)
    assert speech[0] == speech[-1] == 0.0
    assert np.abs(np.diff(speech)).max() < 0.05


@pytest.mark.parametrize("frames", [0, 1, 239, 5000])
def test_nothing_but_silence_becomes_nothing(frames):
    assert len(trimmed(np.zeros(frames, np.float32), RATE_HZ)) == 0


def test_the_input_is_left_as_it_was():
    sound = between_silences(0, 0.5, 0)
    before = sound.copy()
    trimmed(sound, RATE_HZ)
    assert np.array_equal(sound, before)


def test_each_pause_stands_between_two_pieces_and_none_at_the_end():
    one = np.ones(100, np.float32)
    whole = joined([one, one], [0.01, 0.5], RATE_HZ)
    assert len(whole) == 100 + 240 + 100
    assert not whole[100:340].any()


def test_nothing_goes_beyond_full_scale_and_nothing_is_made_louder():
    whole = joined([np.array([0.25, 2.0, -3.0], np.float32)], [0.0], RATE_HZ)
    assert whole.tolist() == [0.25, 1.0, -1.0]


def test_no_pieces_make_no_sound():
    assert len(joined([], [], RATE_HZ)) == 0
