"""From log-mel features to speech tokens: the encoder half of a Whisper with a codebook.

In float32 throughout: with weights in bfloat16, 1 of the 91 golden tokens differed. Knows nothing
about recordings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from glmtts_core.engines.glmtts.checkpoint.weight_sources import WeightSource
from glmtts_core.engines.glmtts.checkpoint.weights import fill, fill_random

if TYPE_CHECKING:
    from glmtts_core.engines.glmtts.networks.speech_tokenizer_config import SpeechTokenizerConfig

#: Prefix of the encoder's keys in the checkpoint.
_PREFIX = "model.encoder."
#: The second convolution halves the frame rate.
_CONV_STRIDE = 2
#: The reference's mask value for hidden positions.
_HIDDEN = torch.finfo(torch.float32).min


def ignore_layer(layer: int, layers: int) -> None:
    """Do nothing before a layer."""


class SpeechTokenizer(nn.Module):
    """The encoder up to its codebook; the rest of the checkpoint is not needed.

    Args:
        config: its sizes. Build it under ``torch.device("meta")`` and load it with
            `load_speech_tokenizer`.
    """

    def __init__(self, config: SpeechTokenizerConfig) -> None:
        super().__init__()
        self.config = config
        size = config.d_model
        self.conv1 = nn.Conv1d(config.num_mel_bins, size, 3, padding=1)
        self.conv2 = nn.Conv1d(size, size, 3, stride=_CONV_STRIDE, padding=1)
        self.embed_positions = nn.Embedding(config.max_source_positions, size)
        self.layers = nn.ModuleList(
            _Layer(size, config.encoder_attention_heads, config.encoder_ffn_dim)
            for _ in range(config.quantize_position)
        )
        self.codebook = nn.Embedding(config.quantize_vocab_size, size)

    @torch.inference_mode()
    def encode(
        self, features: Tensor, mask: Tensor, on_layer: Callable[[int, int], None] = ignore_layer
    ) -> Tensor:
        """Return the vectors to quantise, shape (batch, tokens, d_model).

        Args:
            features: log-mel, shape (batch, num_mel_bins, frames), with an even number of frames.
            mask: 1 for sound, 0 for padding, shape (batch, frames).
            on_layer: called before each layer with its number from 0 and the count of all; may
                raise to stop.
        """
        hidden = functional.gelu(self.conv1(features))
        hidden = functional.gelu(self.conv2(hidden)).transpose(1, 2)
        hidden = hidden + self.embed_positions.weight[: hidden.shape[1]]
        present = mask[:, ::_CONV_STRIDE]
        block = self.config.quantize_causal_block_size
        visible = block_causal_mask(present, block)
        for number, layer in enumerate(self.layers, start=1):
            on_layer(number - 1, len(self.layers))
            hidden = layer(hidden, visible)
            if number == self.config.pooling_position:
                pooling = self.config.pooling_kernel_size
                hidden = _pooled(hidden, pooling)
                present, block = present[:, ::pooling], block // pooling
                visible = block_causal_mask(present, block)
        return hidden

    @torch.inference_mode()
    def tokens(
        self, features: Tensor, mask: Tensor, on_layer: Callable[[int, int], None] = ignore_layer
    ) -> list[list[int]]:
        """Return the speech tokens of each item; padding gives none.

        Args:
            features: as for `encode`.
            mask: as for `encode`.
            on_layer: as for `encode`.
        """
        nearest = self.nearest_codes(self.encode(features, mask, on_layer))
        valid = mask[:, ::_CONV_STRIDE][:, :: self.config.pooling_kernel_size].bool()
        return [ids[there].tolist() for ids, there in zip(nearest, valid, strict=True)]

    def nearest_codes(self, hidden: Tensor) -> Tensor:
        """Return the id of the nearest code, int64, shape (batch, tokens).

        The square of the distance is ||x||² + ||c||² - 2 x·c.
        """
        vectors = hidden.reshape(-1, hidden.shape[-1])
        codes = self.codebook.weight
        squares = vectors.square().sum(1, keepdim=True) + codes.square().sum(1)
        distances = torch.addmm(squares, vectors, codes.T, alpha=-2.0)
        return distances.argmin(1).view(hidden.shape[:2])


class _Layer(nn.Module):
    """Attention and feed-forward, each after a norm, under Whisper's names."""

    def __init__(self, size: int, heads: int, inner: int) -> None:
        super().__init__()
        self.self_attn = _Attention(size, heads)
        self.self_attn_layer_norm = nn.LayerNorm(size)
        self.fc1 = nn.Linear(size, inner)
        self.fc2 = nn.Linear(inner, size)
        self.final_layer_norm = nn.LayerNorm(size)

    def forward(self, hidden: Tensor, visible: Tensor) -> Tensor:
        hidden = hidden + self.self_attn(self.self_attn_layer_norm(hidden), visible)
        inner = functional.gelu(self.fc1(self.final_layer_norm(hidden)))
        out: Tensor = hidden + self.fc2(inner)
        return out


class _Attention(nn.Module):
    """Whisper's attention: the keys have no bias."""

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self.q_proj = nn.Linear(size, size)
        self.k_proj = nn.Linear(size, size, bias=False)
        self.v_proj = nn.Linear(size, size)
        self.out_proj = nn.Linear(size, size)

    def forward(self, hidden: Tensor, visible: Tensor) -> Tensor:
        queries, keys, values = (
            projection(hidden).unflatten(2, (self._heads, -1)).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        attended = functional.scaled_dot_product_attention(queries, keys, values, visible)
        out: Tensor = self.out_proj(attended.transpose(1, 2).flatten(2))
        return out


def block_causal_mask(present: Tensor, block: int) -> Tensor:
    """Return the mask to add to attention scores, float32, shape (batch, 1, frames, frames).

    A query sees the keys up to its own position and those of its block, except padding.

    Args:
        present: 1 for sound, 0 for padding, shape (batch, frames).
        block: frames of a block.
    """
    frames = torch.arange(present.shape[1], device=present.device)
    queries, keys = frames[:, None], frames[None]
    seen = (keys <= queries) | (keys // block == queries // block)
    seen = seen & present.bool()[:, None, None]
    return torch.zeros(seen.shape, device=present.device).masked_fill(~seen, _HIDDEN)


def load_speech_tokenizer(
    config: SpeechTokenizerConfig,
    source: WeightSource,
    *,
    device: torch.device,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> SpeechTokenizer:
    """Build the encoder and read its weights.

    Raises:
        CheckpointError: a key is missing or has another shape.
    """
    with torch.device("meta"):
        network = SpeechTokenizer(config)
    fill(
        network,
        source,
        device=device,
        dtype=torch.float32,
        name=lambda parameter: _PREFIX + parameter,
        on_bytes=on_bytes,
    )
    return network.eval()


def random_speech_tokenizer(
    config: SpeechTokenizerConfig,
    *,
    device: torch.device,
    seed: int,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> SpeechTokenizer:
    """Build the encoder with random weights."""
    with torch.device("meta"):
        network = SpeechTokenizer(config)
    fill_random(
        network,
        device=device,
        dtype=torch.float32,
        seed=seed,
        on_bytes=on_bytes,
    )
    return network.eval()


def _pooled(hidden: Tensor, frames: int) -> Tensor:
    """Return the mean of every ``frames`` frames; the last group is filled up with zeros."""
    missing = -hidden.shape[1] % frames
    padded = functional.pad(hidden.transpose(1, 2), (0, missing))
    return functional.avg_pool1d(padded, frames).transpose(1, 2)
