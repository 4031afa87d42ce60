"""The network of the flow: from a noisy mel to the velocity towards a clean one.

The inputs that all steps share (token embedding, known mel, modulations, rotation, mask) are
computed once per mel. Knows nothing about guidance, steps and noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from glmtts_core.engines.glmtts.networks.flow_blocks import (
    FINAL_MODULATIONS,
    InputProjection,
    Modulation,
    RotaryEmbedding,
    TimeEmbedding,
    TokenEmbedding,
    TransformerBlock,
    modulated_norm,
)
from glmtts_core.engines.glmtts.networks.flow_config import FlowConfig


@dataclass(frozen=True, slots=True)
class StepModulation:
    """Shifts, scales and gates of one step.

    Attributes:
        blocks: for every transformer block (B, 6, 1, W).
        final: of the last norm, (B, 2, 1, W).
    """

    blocks: tuple[Tensor, ...]
    final: Tensor


@dataclass(frozen=True, slots=True)
class FlowConditions:
    """The inputs that all steps of one mel share.

    Attributes:
        fixed: the constant part of the input projection, (B, T, W).
        rotation: cosines and sines, each (T, channels / 2).
        mask: (T, T), true where a row may attend; None allows all.
    """

    fixed: Tensor
    rotation: tuple[Tensor, Tensor]
    mask: Tensor | None = None


class FlowEstimator(nn.Module):
    """A transformer over mel frames whose norms are modulated by time and speaker.

    Modules are named as in the official checkpoint.
    """

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        width = config.width
        self.time_embed = TimeEmbedding(width)
        self.text_emb_layer = TokenEmbedding(
            config.token_rows, config.token_channels, config.token_blocks
        )
        self.emb_concator = InputProjection(config.mel_bins, config.token_channels, width)
        self.rotary_embed = RotaryEmbedding(config.head_width)
        self.transformer_blocks = nn.ModuleList(
            TransformerBlock(
                width,
                config.heads,
                config.head_width,
                config.feed_forward_factor * width,
                config.condition,
            )
            for _ in range(config.blocks)
        )
        self.norm_out = Modulation(config.condition, width, FINAL_MODULATIONS)
        self.proj_out = nn.Linear(width, config.mel_bins)

    def conditions(
        self, tokens: Tensor, known_mel: Tensor, mask: Tensor | None = None
    ) -> FlowConditions:
        """Compute the inputs that all steps share.

        Args:
            tokens: speech token ids (1, N), int64.
            known_mel: (B, T, mel), zero where unknown; each row is a pass.
            mask: as in `FlowConditions`.
        """
        batch, frames, _ = known_mel.shape
        embedded = self.text_emb_layer(tokens, frames).expand(batch, -1, -1)
        fixed = self.emb_concator.fixed_part(known_mel, embedded)
        return FlowConditions(fixed, self.rotary_embed(frames), mask)

    def modulations(self, times: Tensor, speakers: Tensor) -> list[StepModulation]:
        """Compute the modulations of all steps at once, reading their weights only once.

        Args:
            times: (S,), from 0 (noise) to 1 (speech).
            speakers: (B, 192), one row a pass.
        """
        steps, batch = len(times), len(speakers)
        time = self.time_embed(times).unsqueeze(1).expand(-1, batch, -1)
        speaker = speakers.unsqueeze(0).expand(steps, -1, -1)
        condition = functional.silu(torch.cat((time, speaker), dim=2).flatten(0, 1))
        norms = [block.get_submodule("attn_norm") for block in self.transformer_blocks]
        per_norm = [
            norm(condition).unflatten(0, (steps, batch)) for norm in (*norms, self.norm_out)
        ]
        return [
            StepModulation(tuple(each[step] for each in per_norm[:-1]), per_norm[-1][step])
            for step in range(steps)
        ]

    def forward(self, x: Tensor, conditions: FlowConditions, modulation: StepModulation) -> Tensor:
        """Return the velocities (B, T, mel) at the noisy mel (1, T, mel), one row a pass."""
        hidden: Tensor = self.emb_concator(x, conditions.fixed)
        for block, of_block in zip(self.transformer_blocks, modulation.blocks, strict=True):
            hidden = block(hidden, of_block, conditions.rotation, conditions.mask)
        scale, shift = modulation.final.unbind(1)
        velocity: Tensor = self.proj_out(modulated_norm(hidden, shift, scale))
        return velocity
