"""The Llama network: lean, for inference of one sequence over a preallocated cache.

Weights bear the names of the official checkpoint, but the projections that read the same input are
one matrix here. Knows nothing about sampling or speech.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from glmtts_core.engines.glmtts.kv_cache import KVCache
from glmtts_core.engines.glmtts.llama_layer import LlamaLayer, product_float32
from glmtts_core.engines.glmtts.weight_sources import WeightSource
from glmtts_core.engines.glmtts.weights import fill, fill_random, read_checked

#: What stands before every key of the checkpoint.
_PREFIX = "model."


class LlamaConfig(BaseModel):
    """The sizes, under the names of ``llm/config.json``; that file holds more than we need."""

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
    """The decoder with its embedding, which is the head too.

    Args:
        config: its sizes. Build it under ``torch.device("meta")`` and load it with `load_llama`.
    """

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            LlamaLayer(
                size=config.hidden_size,
                inner=config.intermediate_size,
                heads=config.num_attention_heads,
                kv_heads=config.num_key_value_heads,
                width=config.head_width,
                epsilon=config.rms_norm_eps,
            )
            for _ in range(config.num_hidden_layers)
        )
        self.norm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)

    def cache(self, capacity: int) -> KVCache:
        """Return an empty cache for ``capacity`` positions, where the weights are."""
        weight = self.embed_tokens.weight
        return KVCache(
            layers=self.config.num_hidden_layers,
            heads=self.config.num_key_value_heads,
            head_dim=self.config.head_width,
            capacity=capacity,
            rope_theta=self.config.rope_theta,
            device=weight.device,
            dtype=weight.dtype,
        )

    def prefill(
        self,
        ids: Tensor,
        cache: KVCache,
        start: int,
        before_layer: Callable[[], None] = lambda: None,
    ) -> Tensor:
        """Run over several tokens at once and write their keys and values.

        Args:
            ids: int64, shape (tokens,).
            cache: holds the positions before ``start``.
            start: position of the first token.
            before_layer: called before each layer; may raise to end the work there.

        Returns:
            The last token's output after the final norm, shape (1, hidden).
        """
        hidden = self.embed_tokens(ids)
        length = start + len(ids)
        rotary = cache.cos[start:length, None], cache.sin[start:length, None]
        mask = None if start == 0 else _causal(start, len(ids), ids.device)
        for layer, (keys, values) in zip(self._layers(), cache.layers(), strict=True):
            before_layer()
            hidden = layer.prefill(hidden, rotary, keys[:, :length], values[:, :length], mask)
        return self._normed(hidden[-1:])

    def step(self, token: Tensor, position: Tensor, cache: KVCache, length: int | None) -> Tensor:
        """Run over one token and write its keys and values.

        Args:
            token: int64, shape (1,).
            position: int64, shape (1,), on the device, so that a CUDA graph can hold the step.
            cache: holds the positions before.
            length: ``position`` + 1 where the host knows it; None reads the whole cache and hides
                what lies ahead.

        Returns:
            The output after the final norm, shape (1, hidden).
        """
        hidden = self.embed_tokens(token)
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
        return product_float32(hidden, self.embed_tokens.weight[first : last + 1].T)[0]

    def _layers(self) -> Iterator[LlamaLayer]:
        for layer in self.layers:
            assert isinstance(layer, LlamaLayer)
            yield layer

    def _normed(self, hidden: Tensor) -> Tensor:
        normed: Tensor = self.norm(hidden)
        return normed


def load_llama(
    config: LlamaConfig,
    source: WeightSource,
    *,
    device: torch.device,
    dtype: torch.dtype,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Llama:
    """Build the network and read its weights, one tensor at a time, into their place.

    Raises:
        CheckpointError: a key is missing or has another shape.
    """
    with torch.device("meta"):
        network = Llama(config)
    computed: dict[str, Callable[[WeightSource], Tensor]] = {}
    queries = config.num_attention_heads * config.head_width
    keys = config.num_key_value_heads * config.head_width
    for index in range(config.num_hidden_layers):
        attention, mlp = f"layers.{index}.self_attn", f"layers.{index}.mlp"
        parts = {"q_proj": queries, "k_proj": keys, "v_proj": keys}
        computed[f"layers.{index}.qkv_proj.weight"] = _joined(
            {f"{attention}.{name}": rows for name, rows in parts.items()}, config.hidden_size
        )
        computed[f"layers.{index}.gate_up_proj.weight"] = _joined(
            {f"{mlp}.{name}": config.intermediate_size for name in ("gate_proj", "up_proj")},
            config.hidden_size,
        )
    fill(
        network,
        source,
        device=device,
        dtype=dtype,
        name=_official_name,
        computed=computed,
        on_bytes=on_bytes,
    )
    return network.eval()


def random_llama(
    config: LlamaConfig,
    *,
    device: torch.device,
    dtype: torch.dtype,
    seed: int,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Llama:
    """Build the network with random weights, made where they are to lie."""
    with torch.device("meta"):
        network = Llama(config)
    fill_random(network, device=device, dtype=dtype, seed=seed, on_bytes=on_bytes)
    return network.eval()


def _official_name(parameter: str) -> str:
    name = parameter.replace(".o_proj.", ".self_attn.o_proj.")
    return _PREFIX + name.replace(".down_proj.", ".mlp.down_proj.")


def _joined(parts: dict[str, int], columns: int) -> Callable[[WeightSource], Tensor]:
    """Return what reads several matrices, given with their rows, as one."""

    def read(source: WeightSource) -> Tensor:
        return torch.cat(
            [
                read_checked(source, f"{_PREFIX}{name}.weight", (rows, columns))
                for name, rows in parts.items()
            ]
        )

    return read


def _causal(start: int, count: int, device: torch.device) -> Tensor:
    """Return which of the positions so far each new one sees, bool, (count, start + count)."""
    queries = torch.arange(start, start + count, device=device)
    return torch.arange(start + count, device=device)[None] <= queries[:, None]
