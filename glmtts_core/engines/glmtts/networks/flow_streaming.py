"""Block-causal flow: the mel of a growing text, chunk by chunk, without changing earlier chunks.

Every chunk is solved over the prompt and all tokens so far. A frame sees its own block, the blocks
before it, and a bounded look-ahead; frames that were already spoken are fixed in all steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor

from glmtts_core.engines.glmtts.networks.flow import Flow, FlowPrompt

#: Mel frames of a token in the masks of the official network: they assume 12.5 tokens a second and
#: frames of 256 samples at 22.05 kHz, unlike the network itself.
MASK_FRAMES_PER_TOKEN: Final = 22_050 / 256 / 12.5
#: Longest block, in frames, whose look-ahead is half of its length; that of longer ones is two
#: thirds.
_SHORT_BLOCK: Final = 172


@dataclass(slots=True)
class StepCache:
    """The input of every step when the last chunk was solved.

    Attributes:
        fixed_frames: frames from the start that the next chunk takes from here; set by the caller
            when it knows how much was spoken.
        entered: the input mel of each step (1, T, mel).
    """

    fixed_frames: int = 0
    entered: dict[int, Tensor] = field(default_factory=dict)

    def enter(self, step: int, x: Tensor) -> Tensor:
        """Replace the start of ``x`` by the stored frames, store the result and return it."""
        stored = self.entered.get(step)
        if stored is not None:
            frames = min(x.shape[1], stored.shape[1], self.fixed_frames)
            x = torch.cat((stored[:, :frames], x[:, frames:]), dim=1)
        self.entered[step] = x
        return x


def block_frames(block_tokens: Sequence[int]) -> list[int]:
    """Return the length of each block in frames, given in tokens."""
    return [int(tokens * MASK_FRAMES_PER_TOKEN) for tokens in block_tokens]


def block_causal_mask(blocks: Sequence[int], frames: int, device: torch.device) -> Tensor:
    """Return the mask (T, T), true where a row may attend.

    A row sees its block, the blocks before it, and half a block (two thirds of a long one) ahead of
    itself.

    Args:
        blocks: length of each block in frames; the last one repeats.
        frames: T.
        device: of the mask.
    """
    visible = torch.empty(frames, dtype=torch.long)
    start, number = 0, 0
    while start < frames:
        length = blocks[min(number, len(blocks) - 1)]
        ahead = int(length / 2) if length <= _SHORT_BLOCK else int(length / 1.5)
        end = start + length
        rows = torch.arange(start, min(end, frames))
        visible[start:end] = end + (ahead - (end - 1 - rows)).clamp(min=0)
        start, number = end, number + 1
    return (torch.arange(frames) < visible.unsqueeze(1)).to(device)


def generate_chunk(
    flow: Flow,
    tokens: Tensor,
    prompt: FlowPrompt,
    noise: Tensor,
    cache: StepCache,
    *,
    block_tokens: Sequence[int],
) -> Tensor:
    """Solve the mel (1, mel, M) of all tokens so far.

    Args:
        flow: the network.
        tokens: all speech tokens so far (1, N), int64.
        prompt: the voice.
        noise: (1, T, mel), see `Flow.noise_shape`.
        cache: the same for all chunks; set its ``fixed_frames`` in between.
        block_tokens: length of each block in tokens, the prompt's first; the last one repeats.
    """
    mask = block_causal_mask(block_frames(block_tokens), noise.shape[1], noise.device)
    return flow.solve(tokens, prompt, noise, enter_step=cache.enter, mask=mask)
