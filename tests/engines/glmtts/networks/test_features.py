"""Mel, filterbank and Whisper features equal the reference; nothing mixes up two rates."""

from __future__ import annotations

import pytest
import torch

from glmtts_core.engines.glmtts.golden import golden
from glmtts_core.engines.glmtts.networks.features import (
    log_mel,
    resample,
    speaker_filterbank,
    whisper_features,
)

#: The golden vectors' own tolerance.
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def expected() -> dict[str, torch.Tensor]:
    return golden("features").tensors


def noise(samples: int, seed: int = 1) -> torch.Tensor:
    return torch.rand(samples, generator=torch.Generator().manual_seed(seed)) - 0.5


# both ways: the reference keeps one window for all rates and fails on the second one
@pytest.mark.parametrize("rates", [(24_000, 32_000), (32_000, 24_000)])
def test_the_prompts_mel_equals_the_golden_one_at_both_rates_in_one_process(expected, rates):
    for hz in rates:
        mel = log_mel(expected["wave"][0], hz).transpose(1, 2)
        torch.testing.assert_close(mel, expected[f"mel_{hz}"], atol=TOLERANCE, rtol=0)


def test_the_speakers_filterbank_equals_the_golden_one(expected):
    bands = speaker_filterbank(expected["wave_16k"][0])
    # the FFT of another processor rounds the quietest bands 1.2e-4 away
    torch.testing.assert_close(bands, expected["fbank_16k"], atol=2 * TOLERANCE, rtol=0)


def test_whisper_features_of_several_pieces_are_one_batch_and_the_mask_tells_sound_from_padding():
    pieces = [noise(15_999), noise(7_003, seed=2), noise(1, seed=3)]
    features, mask = whisper_features(pieces, bands=128, multiple_of=640)
    assert (features.shape, features.dtype) == ((3, 128, 100), torch.float32)
    # a frame for every 160 samples that begin within a piece
    assert mask.sum(1).tolist() == [100, 44, 1]
    assert torch.equal(mask.bool(), mask.sum(1)[:, None] > torch.arange(100))


def test_whisper_features_do_not_depend_on_the_other_pieces():
    one, other = noise(16_000), noise(3_000, seed=2)
    alone, _ = whisper_features([one], bands=128, multiple_of=640)
    together, _ = whisper_features([one, other], bands=128, multiple_of=640)
    torch.testing.assert_close(together[:1], alone, atol=1e-6, rtol=0)


@pytest.mark.parametrize("hz", [24_000, 32_000])
@pytest.mark.parametrize("samples", [2_560, 24_000, 24_479, 24_480])
def test_there_is_a_frame_for_every_whole_step(hz, samples):
    assert log_mel(noise(samples), hz).shape == (1, samples * 50 // hz, 80)


def test_a_tone_keeps_its_length_and_pitch_through_resampling():
    seconds = torch.arange(44_100) / 44_100
    tone = torch.sin(2 * torch.pi * 440 * seconds)
    low = resample(tone, 44_100, 16_000)
    assert low.shape == (16_000,)
    spectrum = torch.fft.rfft(low * torch.hann_window(len(low)))
    assert int(spectrum.abs().argmax()) == 440


def test_an_odd_rate_does_not_ask_for_a_huge_kernel():
    assert abs(len(resample(noise(44_101), 44_101, 24_000)) - 24_000) <= 24


def test_the_same_rate_is_left_alone():
    wave = noise(100)
    assert resample(wave, 16_000, 16_000) is wave
