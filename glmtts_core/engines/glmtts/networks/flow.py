"""Flow matching: speech tokens become a log-mel in the voice of the prompt.

Ten Euler steps lead from noise to speech; the velocity of each is guided by two passes, with the
prompt's mel and speaker and without. Knows nothing about files and waveforms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from glmtts_core.engines.glmtts.checkpoint.weight_sources import WeightSource
from glmtts_core.engines.glmtts.checkpoint.weights import fill, fill_random, read_checked
from glmtts_core.engines.glmtts.networks.flow_config import FlowConfig
from glmtts_core.engines.glmtts.networks.flow_estimator import FlowConditions, FlowEstimator

#: Euler steps from noise to speech.
STEPS: Final = 10
#: How far the velocity is pushed away from the one without prompt.
GUIDANCE: Final = 0.7
#: Base of the rotary angles.
_ROTARY_BASE: Final = 10_000.0

Precision = Literal["float32", "mixed"]
"""mixed: matrix products of the transformer in bfloat16; residuals, norms and sums in float32."""

_PREFIX: Final = "estimator."
_MATRICES: Final = (".attn.", ".ff.", ".attn_norm.", "norm_out.")


@dataclass(frozen=True, slots=True)
class FlowPrompt:
    """The voice to be cloned.

    Attributes:
        tokens: speech tokens (1, P), int64.
        mel: log-mel (1, F, mel), F about 2 P.
        speaker: speaker vector (1, 192), of any length; only its direction counts.
    """

    tokens: Tensor
    mel: Tensor
    speaker: Tensor


def ignore_step(step: int, steps: int) -> None:
    """Do nothing before a step."""


def _as_it_is(step: int, x: Tensor) -> Tensor:  # noqa: ARG001 - the shape of every hook
    return x


class Flow(nn.Module):
    """The flow network with its solver; modules are named as in the official checkpoint."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.estimator = FlowEstimator(config)

    def noise_shape(self, prompt: FlowPrompt, tokens: Tensor) -> tuple[int, int, int]:
        """Return the shape (1, T, mel) of the noise that `generate` starts from."""
        count = prompt.tokens.shape[1] + tokens.shape[1]
        return 1, self.config.frames(count), self.config.mel_bins

    def generate(
        self,
        tokens: Tensor,
        prompt: FlowPrompt,
        generator: torch.Generator,
        on_step: Callable[[int, int], None] = ignore_step,
    ) -> Tensor:
        """Speak: draw the noise, solve, return the mel (1, mel, M) without the prompt's frames.

        Args:
            tokens: speech tokens (1, N) from 0 up, int64, on the network's device.
            prompt: the voice, on the same device.
            generator: of the noise, on the same device.
            on_step: called before each step with its number from 0 and the count of all; may raise
                to stop.
        """
        noise = torch.randn(
            self.noise_shape(prompt, tokens), generator=generator, device=tokens.device
        )
        return self.solve(tokens, prompt, noise, on_step)

    @torch.inference_mode()
    def solve(
        self,
        tokens: Tensor,
        prompt: FlowPrompt,
        noise: Tensor,
        on_step: Callable[[int, int], None] = ignore_step,
        enter_step: Callable[[int, Tensor], Tensor] = _as_it_is,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Do the same as `generate` from a given noise.

        Args:
            tokens: as in `generate`.
            prompt: as in `generate`.
            noise: (1, T, mel), see `noise_shape`; not modified.
            on_step: as in `generate`.
            enter_step: receives the step's number and its input mel (1, T, mel), and returns the
                mel to use instead.
            mask: (T, T), true where a row may attend; None allows all.
        """
        conditions = self.conditions(tokens, prompt, noise.shape[1], mask)
        times = euler_times()
        modulations = self.estimator.modulations(
            times[:-1].to(noise.device), self.speakers(prompt.speaker)
        )
        x, time = noise, times[0]
        for step, modulation in enumerate(modulations):
            on_step(step, STEPS)
            x = enter_step(step, x)
            guided, free = self.estimator(x, conditions, modulation).split(1)
            # the exact rest to the next point, so that roundings do not add up
            width = times[step + 1] - time
            x = x + float(width) * ((1.0 + GUIDANCE) * guided - GUIDANCE * free)
            time = time + width
        return x[:, prompt.mel.shape[1] :].transpose(1, 2)

    def conditions(
        self, tokens: Tensor, prompt: FlowPrompt, frames: int, mask: Tensor | None = None
    ) -> FlowConditions:
        """Return the inputs that all steps share, for two passes: with the prompt, and without."""
        known = prompt.mel.new_zeros(2, frames, self.config.mel_bins)
        kept = min(prompt.mel.shape[1], frames)
        known[0, :kept] = prompt.mel[0, prompt.mel.shape[1] - kept :]
        return self.estimator.conditions(torch.cat((prompt.tokens, tokens), dim=1), known, mask)

    @staticmethod
    def speakers(speaker: Tensor) -> Tensor:
        """Return the speakers of the two passes (2, 192): of length one, and zero."""
        direction = functional.normalize(speaker, dim=1)
        return torch.cat((direction, torch.zeros_like(direction)))


def euler_times() -> Tensor:
    """Return the eleven times from noise (0) to speech (1), denser at the start."""
    return 1.0 - torch.cos(torch.linspace(0.0, 1.0, STEPS + 1) * (0.5 * math.pi))


def load_flow(
    source: WeightSource,
    config: FlowConfig,
    *,
    device: torch.device,
    precision: Precision = "float32",
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Flow:
    """Build the flow with the weights of ``flow.pt``.

    Raises:
        CheckpointError: a weight is missing or has another shape.
    """
    with torch.device("meta"):
        flow = Flow(config)
    computed = {}
    for name in flow.state_dict():
        if name.endswith("text_embed.weight"):
            computed[name] = _token_table(name, config)
        elif ".to_qkv." in name:
            computed[name] = _stacked_projections(name, config)
    fill(
        flow,
        source,
        device=device,
        dtype=_matrix_dtype(precision),
        keep_float32=_is_no_matrix,
        computed=computed,
        on_bytes=on_bytes,
    )
    return flow.eval()


def random_flow(
    config: FlowConfig,
    *,
    device: torch.device,
    precision: Precision = "float32",
    seed: int = 0,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Flow:
    """Build the flow with random weights, for rehearsals and measurements."""
    with torch.device("meta"):
        flow = Flow(config)
    fill_random(
        flow,
        device=device,
        dtype=_matrix_dtype(precision),
        seed=seed,
        keep_float32=_is_no_matrix,
        computed={f"{_PREFIX}rotary_embed.inv_freq": lambda: rotary_frequencies(config.head_width)},
        on_bytes=on_bytes,
    )
    return flow.eval()


def rotary_frequencies(channels: int) -> Tensor:
    """Return the angle per position of each pair of channels, (channels / 2,)."""
    return _ROTARY_BASE ** -(torch.arange(0, channels, 2, dtype=torch.float32) / channels)


def _matrix_dtype(precision: Precision) -> torch.dtype:
    return torch.bfloat16 if precision == "mixed" else torch.float32


def _is_no_matrix(name: str) -> bool:
    return not any(part in name for part in _MATRICES)


def _token_table(key: str, config: FlowConfig) -> Callable[[WeightSource], Tensor]:
    """Read the rows of the speech tokens; the other two thirds are never used."""

    def read(source: WeightSource) -> Tensor:
        whole = read_checked(source, key, (config.vocabulary + 1, config.token_channels))
        return whole[: config.token_rows]

    return read


def _stacked_projections(name: str, config: FlowConfig) -> Callable[[WeightSource], Tensor]:
    """Stack the three input projections of an attention into one."""
    inner = config.heads * config.head_width
    shape = (inner, config.width) if name.endswith("weight") else (inner,)

    def read(source: WeightSource) -> Tensor:
        keys = [name.replace("to_qkv", part) for part in ("to_q", "to_k", "to_v")]
        return torch.cat([read_checked(source, key, shape) for key in keys])

    return read
