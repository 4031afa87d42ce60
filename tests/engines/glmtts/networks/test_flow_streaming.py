"""The block-causal flow: equal to the reference over three growing chunks."""

from __future__ import annotations

import pytest
import torch

from glmtts_core.engines.glmtts.checkpoint.weight_sources import MappedSource
from glmtts_core.engines.glmtts.golden import golden
from glmtts_core.engines.glmtts.networks.flow import FlowPrompt, load_flow
from glmtts_core.engines.glmtts.networks.flow_config import FlowConfig
from glmtts_core.engines.glmtts.networks.flow_streaming import (
    StepCache,
    block_causal_mask,
    block_frames,
    generate_chunk,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize("case", [0, 1])
def test_masks_equal_the_reference(case: int) -> None:
    reference = golden("block_masks")
    blocks, frames = reference.configuration["cases"][case]
    expected = reference.tensors[f"mask_{case}"].bool()
    assert torch.equal(block_causal_mask(blocks, frames, CPU), expected)


def test_blocks_of_tokens_become_frames() -> None:
    assert block_frames([25, 50, 200]) == [172, 344, 1378]


def test_growing_chunks_equal_the_reference() -> None:
    offline, streaming = golden("flow"), golden("flow_streaming")
    held = offline.tensors
    config = FlowConfig.from_mapping(offline.configuration["dit"])
    flow = load_flow(MappedSource(offline.weights), config, device=CPU)
    prompt = FlowPrompt(held["prompt_token"], held["prompt_feat"], held["embedding"])
    cache = StepCache()
    lengths = streaming.tensors["lens"].tolist()
    for chunk, (length, fixed_frames) in enumerate(
        zip(lengths, streaming.tensors["override"].tolist(), strict=True)
    ):
        tokens = held["token"][:, :length]
        noise = held["noise"][:, : flow.noise_shape(prompt, tokens)[1]]
        mel = generate_chunk(
            flow,
            tokens,
            prompt,
            noise,
            cache,
            block_tokens=streaming.configuration["block_pattern"],
        )
        # float32 sums in another order
        assert (mel - streaming.tensors[f"mel_{chunk}"]).abs().max() <= 2e-4
        cache.fixed_frames = fixed_frames
    kept = sum(each.nbytes for each in cache.entered.values())
    assert kept == 10 * held["noise"].nbytes


def test_a_step_takes_back_what_was_stored() -> None:
    cache = StepCache(fixed_frames=2)
    stored = cache.enter(0, torch.zeros(1, 3, 4))
    assert torch.equal(stored, torch.zeros(1, 3, 4))
    entered = cache.enter(0, torch.ones(1, 5, 4))
    assert entered[0, :, 0].tolist() == [0, 0, 1, 1, 1]
