"""The 24 kHz vocoder: equal to the reference, loaded through the code that loads official files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from glmtts_core.engines.glmtts.checkpoint.weight_sources import MappedSource, TorchSource
from glmtts_core.engines.glmtts.checkpoint.weights import held_bytes
from glmtts_core.engines.glmtts.golden import Golden, golden
from glmtts_core.engines.glmtts.networks.hift import Hift, HiftConfig, load_hift, random_hift
from glmtts_core.engines.glmtts.networks.hift_source import HARMONICS, draw_source_noise
from glmtts_core.errors import CheckpointError

CPU = torch.device("cpu")
#: What the golden vectors' tolerance allows: float32 sums in another order.
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def reference() -> Golden:
    return golden("hift")


@pytest.fixture(scope="module")
def hift(reference: Golden) -> Hift:
    return load_hift(MappedSource(reference.weights), device=CPU)


def in_the_old_form(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    names = {"original0": "weight_g", "original1": "weight_v"}
    renamed = {}
    for key, value in weights.items():
        stem, _, ending = key.partition("parametrizations.weight.")
        renamed[stem + names[ending] if ending else key] = value
    return renamed


@pytest.mark.parametrize("wrapped", [True, False], ids=["under model", "bare"])
@pytest.mark.parametrize("old", [True, False], ids=["weight_g", "parametrizations"])
def test_waveform_equals_the_reference_from_every_form_of_the_file(
    reference: Golden, tmp_path: Path, wrapped: bool, old: bool
) -> None:
    weights = in_the_old_form(reference.weights) if old else reference.weights
    file = tmp_path / "hift.pt"
    torch.save({"model": weights} if wrapped else weights, file)
    loaded = load_hift(TorchSource(file), device=CPU)
    wave = loaded.decode(reference.tensors["mel"], reference.tensors["source"])
    assert (wave - reference.tensors["wav"]).abs().max() <= TOLERANCE


def test_pitch_equals_the_reference(reference: Golden, hift: Hift) -> None:
    with torch.inference_mode():
        pitch = hift.f0_predictor(reference.tensors["mel"])
    # in Hz, up to 700 here: four units in the last place of float32 are more than 1e-4
    assert torch.allclose(pitch, reference.tensors["f0"], rtol=1e-6, atol=TOLERANCE)


def test_harmonics_equal_the_reference(reference: Golden, hift: Hift) -> None:
    with torch.inference_mode():
        source = hift.m_source(reference.tensors["f0"], None)
    assert (source - reference.tensors["harmonic_source"]).abs().max() <= TOLERANCE


def test_unvoiced_frames_carry_noise_only(hift: Hift) -> None:
    pitch = torch.tensor([[0.0, 200.0]])
    with torch.inference_mode():
        quiet = hift.m_source(pitch, torch.zeros(1, 960, HARMONICS))
        noisy = hift.m_source(pitch, torch.ones(1, 960, HARMONICS))
    constant = torch.tanh(hift.m_source.l_linear.bias)
    assert torch.allclose(quiet[..., :480], constant.expand(1, 1, 480))
    change = (noisy - quiet).abs().mean(dim=(0, 1))
    # a third of the sine's level where unvoiced, 0.003 where voiced
    assert change[:480].mean() > 5 * change[480:].mean()


def test_noise_is_drawn_between_a_start_phase_and_an_unused_noise() -> None:
    generator, expected = torch.Generator().manual_seed(5), torch.Generator().manual_seed(5)
    drawn = draw_source_noise(960, CPU, generator)
    torch.rand(1, 9, generator=expected)
    assert torch.equal(drawn, torch.randn(1, 960, 9, generator=expected))
    torch.randn(1, 960, 1, generator=expected)
    assert torch.equal(generator.get_state(), expected.get_state())


def test_the_same_seed_gives_the_same_waveform(reference: Golden, hift: Hift) -> None:
    mel = reference.tensors["mel"]
    first, again, other = (
        hift.generate(mel, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert first.shape == (1, 480 * mel.shape[2])
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.abs().max() <= 0.99


def test_a_mel_of_one_frame_is_spoken(reference: Golden, hift: Hift) -> None:
    wave = hift.generate(reference.tensors["mel"][:, :, :1], torch.Generator().manual_seed(1))
    assert wave.shape == (1, 480)


def test_a_missing_length_of_a_norm_is_named_with_its_file(reference: Golden) -> None:
    missing = "ups.1.parametrizations.weight.original0"
    weights = {key: value for key, value in reference.weights.items() if key != missing}
    with pytest.raises(CheckpointError, match=rf"hift\.pt.*{missing}"):
        load_hift(MappedSource(weights, Path("hift.pt")), device=CPU)


def test_a_file_of_something_else_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"hift\.pt"):
        load_hift(MappedSource({"nothing": torch.zeros(1)}, Path("hift.pt")), device=CPU)


def test_the_defaults_are_the_official_sizes() -> None:
    with torch.device("meta"):
        official = Hift(HiftConfig())
    assert sum(each.numel() for each in official.parameters()) == 20_806_557
    assert official.ups[0].weight.shape == (512, 256, 16)
    assert official.source_downs[0].weight.shape == (256, 18, 30)


def test_random_weights_are_filled_to_the_last_one() -> None:
    counted: list[int] = []
    config = HiftConfig(channels=32, pitch_channels=32)
    filled = random_hift(config, device=CPU, on_bytes=counted.append)
    assert sum(counted) == held_bytes(filled)
    assert filled.generate(torch.zeros(1, 80, 4), torch.Generator()).isfinite().all()
