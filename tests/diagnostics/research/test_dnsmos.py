"""DNSMOS: worse sound is rated worse, and any length is taken."""

from __future__ import annotations

import numpy as np
import pytest

from glmtts_core.diagnostics.research.dnsmos import _windows, mean_opinion
from glmtts_core.errors import AudioError
from tests.diagnostics.sounds import RATE_HZ, speech


def test_noise_is_heard_in_the_background_and_overall():
    clean = speech(2.0)
    noise = np.random.default_rng(2).standard_normal(len(clean)).astype(np.float32)
    before = mean_opinion(clean, RATE_HZ)
    after = mean_opinion(np.clip(clean + 0.05 * noise, -1, 1), RATE_HZ)
    assert after.background < before.background
    assert after.overall < before.overall


def test_a_long_text_is_rated_over_its_whole_length_and_a_short_one_is_repeated():
    long, short = (_windows(speech(seconds, rate_hz=16_000)) for seconds in (30.0, 1.0))
    assert [len(each) for each in long] == [144_160] * 3
    assert (long[2] == speech(30.0, rate_hz=16_000)[-144_160:]).all()
    assert (short[0][16_000:32_000] == short[0][:16_000]).all()


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.full(100, np.nan, np.float32)])
def test_without_sound_there_is_nothing_to_rate(samples):
    with pytest.raises(AudioError, match="no sound to rate"):
        mean_opinion(samples, RATE_HZ)
