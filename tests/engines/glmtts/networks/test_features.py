"""Mel, filterbank and Whisper features equal the reference; nothing mixes up two rates."""

from __future__ import annotations

import pytest
import torch
from transformers import WhisperFeatureExtractor

from glmtts_core.engines.glmtts.golden import golden
from glmtts_core.engines.glmtts.networks.features import (
    MEL_24K,
    MEL_32K,
    MelSettings,
    log_mel,
    mel_settings,
    resample,
    speaker_filterbank,
    whisper_features,
)

#: The golden vectors' own tolerance.
TOLERANCE = 1e-4
WHISPER = MelSettings(16_000, 400, 160, n_mels=128)


@pytest.fixture(scope="module")
def expected() -> dict[str, torch.Tensor]:
    return golden("features").tensors


def noise(samples: int, seed: int = 1) -> torch.Tensor:
    return torch.rand(samples, generator=torch.Generator().manual_seed(seed)) - 0.5


# both ways: the reference keeps one window for all rates and fails on the second one
@pytest.mark.parametrize("rates", [(24_000, 32_000), (32_000, 24_000)])
def test_the_prompts_mel_equals_the_golden_one_at_both_rates_in_one_process(expected, rates):
    for hz in rates:
        mel = log_mel(expected["wave"][0], mel_settings(hz)).transpose(1, 2)
        torch.testing.assert_close(mel, expected[f"mel_{hz}"], atol=TOLERANCE, rtol=0)


def test_the_speakers_filterbank_equals_the_golden_one(expected):
    bands = speaker_filterbank(expected["wave_16k"][0])
    # the FFT of another processor rounds the quietest bands 1.2e-4 away
    torch.testing.assert_close(bands, expected["fbank_16k"], atol=2 * TOLERANCE, rtol=0)


def test_whisper_features_equal_those_of_the_library():
    pieces = [noise(16_000), noise(7_003, seed=2), noise(1, seed=3)]
    theirs = WhisperFeatureExtractor(feature_size=128)(
        [piece.numpy() for piece in pieces],
        sampling_rate=16_000,
        padding="longest",
        pad_to_multiple_of=640,
        truncation=False,
        return_attention_mask=True,
        return_tensors="pt",
    )
    ours = whisper_features(pieces, WHISPER, multiple_of=640)
    torch.testing.assert_close(ours.features, theirs["input_features"], atol=TOLERANCE, rtol=0)
    assert torch.equal(ours.attention_mask, theirs["attention_mask"].long())


@pytest.mark.parametrize("settings", [MEL_24K, MEL_32K])
@pytest.mark.parametrize("samples", [2_560, 24_000, 24_479, 24_480])
def test_there_is_a_frame_for_every_whole_step(settings, samples):
    assert log_mel(noise(samples), settings).shape == (1, samples // settings.hop, 80)


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
