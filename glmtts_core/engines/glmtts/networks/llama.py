"""The Llama network for inference of one sequence over a preallocated cache.

Weights have the names of the official checkpoint, but projections of the same input are one matrix
here. Knows nothing about sampling or speech.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from glmtts_core.engines.glmtts.networks.int8_matrix import Int8Matrix
from glmtts_core.engines.glmtts.networks.kv_cache import KVCache
from glmtts_core.engines.glmtts.networks.llama_layer import LlamaLayer, product_float32

#: Logits that are computed in full: several times as many as any rule of sampling draws from.
_REFINED = 256


class LlamaConfig(BaseModel):
    """The sizes, named as in ``llm/config.json``; other entries of the file are ignored.

    Not the class of transformers: importing that one takes seconds and 160 MiB.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    max_position_embeddings: int
    rms_norm_eps: float
    rope_theta: float = 10_000.0
    head_dim: int | None = None

    @property
    def head_width(self) -> int:
        """Values of an attention head."""
        return self.head_dim or self.hidden_size // self.num_attention_heads


#: The sizes of the official model.
OFFICIAL_LLAMA = LlamaConfig(
    vocab_size=98_304,
    hidden_size=2048,
    intermediate_size=6144,
    num_hidden_layers=28,
    num_attention_heads=16,
    num_key_value_heads=4,
    max_position_embeddings=8192,
    rms_norm_eps=1e-5,
)


class Llama(nn.Module):
    """The decoder with its embedding, which is also the head.

    Args:
        config: its sizes. Build it under ``torch.device("meta")`` and load it with `load_llama`.
        int8: whether the matrices are 8-bit integers and all else is float32.
    """

    def __init__(self, config: LlamaConfig, *, int8: bool = False) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens: nn.Embedding | Int8Matrix
        if int8:
            self.embed_tokens = Int8Matrix(config.hidden_size, config.vocab_size)
        else:
            self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            LlamaLayer(
                size=config.hidden_size,
                inner=config.intermediate_size,
                heads=config.num_attention_heads,
                kv_heads=config.num_key_value_heads,
                width=config.head_width,
                epsilon=config.rms_norm_eps,
                int8=int8,
            )
            for _ in range(config.num_hidden_layers)
        )
        self.norm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.embed_tokens.weight.device

    def cache(self, capacity: int) -> KVCache:
        """Return an empty cache for ``capacity`` positions, where the weights are."""
        return KVCache(
            layers=self.config.num_hidden_layers,
            heads=self.config.num_key_value_heads,
            head_dim=self.config.head_width,
            capacity=capacity,
            rope_theta=self.config.rope_theta,
            device=self.device,
            dtype=self.norm.weight.dtype,
        )

    def prefill(
        self,
        ids: Tensor,
        cache: KVCache,
        start: int,
        before_layer: Callable[[], None] = lambda: None,
    ) -> Tensor:
        """Process several tokens at once and store their keys and values.

        Args:
            ids: int64, shape (tokens,).
            cache: with the positions before ``start``.
            start: position of the first token.
            before_layer: called before each layer; may raise to end the work there.

        Returns:
            The last token's output after the final norm, shape (1, hidden).
        """
        hidden = self._embedded(ids)
        length = start + len(ids)
        rotary = cache.cos[start:length, None], cache.sin[start:length, None]
        mask = None if start == 0 else _causal(start, len(ids), ids.device)
        for layer, (keys, values) in zip(self._layers(), cache.layers(), strict=True):
            before_layer()
            hidden = layer.prefill(hidden, rotary, keys[:, :length], values[:, :length], mask)
        return self._normed(hidden[-1:])

    def step(self, token: Tensor, position: Tensor, cache: KVCache, length: int | None) -> Tensor:
        """Process one token and store its keys and values.

        Args:
            token: int64, shape (1,).
            position: int64, shape (1,), on the device, so that a CUDA graph can hold the step.
            cache: with the positions before.
            length: ``position`` + 1 where the host knows it; None reads the whole cache and masks
                the later positions.

        Returns:
            The output after the final norm, shape (1, hidden).
        """
        hidden = self._embedded(token)
        rotary = (
            cache.cos.index_select(0, position)[:, None],
            cache.sin.index_select(0, position)[:, None],
        )
        hidden_ahead = None
        if length is None:
            ahead = torch.arange(cache.capacity, device=token.device) > position
            hidden_ahead = torch.zeros(
                cache.capacity, dtype=torch.float32, device=token.device
            ).masked_fill(ahead, float("-inf"))
        for layer, (keys, values) in zip(self._layers(), cache.layers(), strict=True):
            hidden = layer.step(hidden, rotary, position, keys, values, length, hidden_ahead)
        return self._normed(hidden)

    def logits(self, hidden: Tensor, first: int, last: int) -> Tensor:
        """Return the logits of the ids ``first`` to ``last`` (both included), float32.

        Args:
            hidden: shape (1, hidden).
            first: the first id.
            last: the last id.
        """
        table = self.embed_tokens
        if isinstance(table, Int8Matrix):
            return _refined(table, hidden, first, last + 1)
        return product_float32(hidden, table.weight[first : last + 1].T)[0]

    def _embedded(self, ids: Tensor) -> Tensor:
        table = self.embed_tokens
        if isinstance(table, Int8Matrix):
            return table.rows_of(ids)
        embedded: Tensor = table(ids)
        return embedded

    def _layers(self) -> Iterator[LlamaLayer]:
        for layer in self.layers:
            assert isinstance(layer, LlamaLayer)
            yield layer

    def _normed(self, hidden: Tensor) -> Tensor:
        normed: Tensor = self.norm(hidden)
        return normed


def _refined(table: Int8Matrix, hidden: Tensor, first: int, end: int) -> Tensor:
    """Return the products of a single input, the largest of them in float32.

    Rounded to bfloat16, large logits differ by up to an eighth, and tokens would be drawn by the
    order of their ids.
    """
    products = table.product(hidden, first, end)[0]
    largest = products.topk(min(_REFINED, len(products))).indices
    products[largest] = table.rows_of(first + largest) @ hidden[0]
    return products


def _causal(start: int, count: int, device: torch.device) -> Tensor:
    """Return which of the positions so far each new one sees, bool, (count, start + count)."""
    queries = torch.arange(start, start + count, device=device)
    return torch.arange(start + count, device=device)[None] <= queries[:, None]
