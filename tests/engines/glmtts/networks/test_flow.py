"""The flow: equal to the reference, loaded through the code that loads official files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from glmtts_core.engines.glmtts.checkpoint.weight_sources import MappedSource, TorchSource
from glmtts_core.engines.glmtts.checkpoint.weights import held_bytes
from glmtts_core.engines.glmtts.golden import Golden, golden
from glmtts_core.engines.glmtts.networks.flow import (
    STEPS,
    Flow,
    FlowPrompt,
    Precision,
    euler_times,
    load_flow,
    random_flow,
)
from glmtts_core.engines.glmtts.networks.flow_config import SPEECH_TOKEN_IDS, FlowConfig
from glmtts_core.errors import CheckpointError, SynthesisCancelled

CPU = torch.device("cpu")
#: What the golden vectors' tolerance allows: float32 sums in another order.
TOLERANCE = 2e-4


@pytest.fixture(scope="module")
def reference() -> Golden:
    return golden("flow")


@pytest.fixture(scope="module")
def config(reference: Golden) -> FlowConfig:
    return FlowConfig.from_mapping(reference.configuration["dit"])


def prompt_of(reference: Golden) -> FlowPrompt:
    held = reference.tensors
    return FlowPrompt(held["prompt_token"], held["prompt_feat"], held["embedding"])


def loaded(reference: Golden, config: FlowConfig, precision: Precision = "float32") -> Flow:
    source = MappedSource(reference.weights)
    return load_flow(source, config, device=CPU, precision=precision)


@pytest.mark.parametrize("wrapped", [True, False], ids=["under model", "bare"])
def test_mel_equals_the_reference_from_both_forms_of_the_file(
    reference: Golden, config: FlowConfig, tmp_path: Path, wrapped: bool
) -> None:
    file = tmp_path / "flow.pt"
    torch.save({"model": reference.weights} if wrapped else reference.weights, file)
    flow = load_flow(TorchSource(file), config, device=CPU)
    mel = flow.solve(reference.tensors["token"], prompt_of(reference), reference.tensors["noise"])
    assert mel.shape == reference.tensors["mel"].shape
    assert (mel - reference.tensors["mel"]).abs().max() <= TOLERANCE


def test_one_velocity_equals_the_reference(reference: Golden, config: FlowConfig) -> None:
    flow, prompt, held = loaded(reference, config), prompt_of(reference), reference.tensors
    with torch.inference_mode():
        conditions = flow.conditions(held["token"], prompt, held["noise"].shape[1])
        modulation = flow.estimator.modulations(torch.tensor([0.3]), flow.speakers(prompt.speaker))
        velocity = flow.estimator(held["noise"], conditions, modulation[0])
    assert (velocity[:1] - held["velocity_t0_3"]).abs().max() <= TOLERANCE


def test_mixed_precision_stays_40_db_above_its_error(reference: Golden, config: FlowConfig) -> None:
    flow, held = loaded(reference, config, "mixed"), reference.tensors
    mel = flow.solve(held["token"], prompt_of(reference), held["noise"])
    error = (mel - held["mel"]).square().mean()
    assert 10 * torch.log10(held["mel"].square().mean() / error) >= 40
    assert flow.estimator.transformer_blocks[0].attn.to_qkv.weight.dtype == torch.bfloat16
    assert flow.estimator.emb_concator.proj.weight.dtype == torch.float32


def test_the_same_seed_gives_the_same_mel(reference: Golden, config: FlowConfig) -> None:
    flow, prompt = loaded(reference, config), prompt_of(reference)

    def speak(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return flow.generate(reference.tensors["token"], prompt, generator)

    assert torch.equal(speak(7), speak(7))
    assert not torch.equal(speak(7), speak(8))


def test_the_global_generator_is_left_alone(reference: Golden, config: FlowConfig) -> None:
    before = torch.get_rng_state()
    loaded(reference, config).generate(
        reference.tensors["token"], prompt_of(reference), torch.Generator().manual_seed(1)
    )
    assert torch.equal(before, torch.get_rng_state())


def test_a_stop_is_honoured_within_one_step(reference: Golden, config: FlowConfig) -> None:
    steps: list[int] = []

    def stop_at_the_third(step: int, count: int) -> None:
        assert count == STEPS
        steps.append(step)
        if step == 2:
            raise SynthesisCancelled("engine.cancelled")

    with pytest.raises(SynthesisCancelled):
        loaded(reference, config).solve(
            reference.tensors["token"],
            prompt_of(reference),
            reference.tensors["noise"],
            stop_at_the_third,
        )
    assert steps == [0, 1, 2]


def test_a_prompt_mel_longer_than_its_tokens_keeps_its_end(
    reference: Golden, config: FlowConfig
) -> None:
    prompt = prompt_of(reference)
    flow = loaded(reference, config)
    frames = prompt.mel.shape[1] - 4
    with torch.inference_mode():
        clipped = flow.conditions(reference.tensors["token"], prompt, frames)
        end = FlowPrompt(prompt.tokens, prompt.mel[:, 4:], prompt.speaker)
        expected = flow.conditions(reference.tensors["token"], end, frames)
    assert torch.equal(clipped.fixed, expected.fixed)


def test_a_missing_weight_is_named_with_its_file(
    reference: Golden, config: FlowConfig, tmp_path: Path
) -> None:
    missing = "estimator.transformer_blocks.1.attn.to_k.weight"
    file = tmp_path / "flow.pt"
    torch.save({key: value for key, value in reference.weights.items() if key != missing}, file)
    with pytest.raises(CheckpointError) as caught:
        load_flow(TorchSource(file), config, device=CPU)
    assert missing in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_wrong_shape_is_named_with_its_file(reference: Golden, config: FlowConfig) -> None:
    key = "estimator.text_emb_layer.text_embed.weight"
    source = MappedSource(reference.weights | {key: torch.zeros(5, 32)}, Path("flow.pt"))
    with pytest.raises(CheckpointError, match=r"flow\.pt.*text_embed\.weight.*\[5, 32\]"):
        load_flow(source, config, device=CPU)


def test_the_official_file_means_the_official_sizes() -> None:
    official = {
        "spkr_emb_adaLN": True,
        "speech_token_cfg": False,
        "remove_spkr_concat_condition": True,
        "mel_dim": 80,
        "mel_framerate": 50,
        "input_frame_rate": 25,
    }
    config = FlowConfig.from_mapping(official)
    assert config == FlowConfig()
    with torch.device("meta"):
        flow = Flow(config)
    held = sum(each.numel() for each in flow.parameters())
    unused_rows = 100_001 - SPEECH_TOKEN_IDS
    assert held + unused_rows * 512 == 225_299_792


@pytest.mark.parametrize(
    ("name", "value"), [("speech_token_cfg", True), ("mel_dim", "eighty"), ("depth", 0)]
)
def test_a_configuration_that_is_not_ours_is_refused(name: str, value: object) -> None:
    with pytest.raises(CheckpointError, match=name):
        FlowConfig.from_mapping({name: value})


@pytest.mark.parametrize(
    ("tokens", "frames"), [(28, 56), (29, 57), (57, 113), (58, 115), (59, 118)]
)
def test_frames_are_truncated_in_doubles(tokens: int, frames: int) -> None:
    assert FlowConfig().frames(tokens) == frames


def test_steps_start_small() -> None:
    times = euler_times()
    assert times[0] == 0
    assert times[-1] == pytest.approx(1)
    assert torch.diff(times).diff().min() > 0


def test_random_weights_are_filled_to_the_last_one(config: FlowConfig) -> None:
    counted: list[int] = []
    flow = random_flow(config, device=CPU, seed=3, on_bytes=counted.append)
    assert sum(counted) == held_bytes(flow)
    assert all(each.isfinite().all() for each in flow.state_dict().values())
