"""The Llama network: lean, for inference of one sequence over a preallocated cache.

Weights bear the names of the official checkpoint, but the projections that read the same input are
one matrix here. Knows nothing about sampling or speech.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from glmtts_core.engines.glmtts.int8_matrix import LARGEST, Int8Matrix, quantized
from glmtts_core.engines.glmtts.kv_cache import KVCache
from glmtts_core.engines.glmtts.llama_layer import LlamaLayer, product_float32
from glmtts_core.engines.glmtts.weight_sources import WeightSource
from glmtts_core.engines.glmtts.weights import fill, fill_random, read_checked

#: Reads a tensor, or several as one, from where weights come from.
Read = Callable[[WeightSource], Tensor]
#: Logits that are computed in full: several times as many as any rule of sampling draws from.
_REFINED = 256
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
        int8: whether the matrices are 8-bit integers; all else is float32 then.
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
        """Run over several tokens at once and write their keys and values.

        Args:
            ids: int64, shape (tokens,).
            cache: holds the positions before ``start``.
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


def load_llama(
    config: LlamaConfig,
    source: WeightSource,
    *,
    device: torch.device,
    dtype: torch.dtype,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Llama:
    """Build the network and read its weights, one tensor at a time, into their place.

    Args:
        config: the sizes.
        source: where the weights are.
        device: where they go.
        dtype: what they become; `torch.int8` makes integers of the matrices and float32 of the
            rest, for the CPU.
        on_bytes: called after each tensor with the bytes that it takes in its place.

    Raises:
        CheckpointError: a key is missing or has another shape.
    """
    int8 = dtype == torch.int8
    with torch.device("meta"):
        network = Llama(config, int8=int8)
    computed = _joined_matrices(config)
    if int8:
        computed = _quantizing(network, computed)
    fill(
        network,
        source,
        device=device,
        dtype=torch.float32 if int8 else dtype,
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
    """Build the network with random weights, made where they are to lie; `load_llama` has more."""
    int8 = dtype == torch.int8
    with torch.device("meta"):
        network = Llama(config, int8=int8)
    fill_random(
        network,
        device=device,
        dtype=torch.float32 if int8 else dtype,
        seed=seed,
        computed=_random_integers(network, seed),
        on_bytes=on_bytes,
    )
    return network.eval()


def _joined_matrices(config: LlamaConfig) -> dict[str, Read]:
    """Return what reads the matrices that are one here and several in the checkpoint."""
    joined: dict[str, Read] = {}
    queries = config.num_attention_heads * config.head_width
    keys = config.num_key_value_heads * config.head_width
    for index in range(config.num_hidden_layers):
        attention, mlp = f"layers.{index}.self_attn", f"layers.{index}.mlp"
        parts = {"q_proj": queries, "k_proj": keys, "v_proj": keys}
        joined[f"layers.{index}.qkv_proj.weight"] = _joined(
            {f"{attention}.{name}": rows for name, rows in parts.items()}, config.hidden_size
        )
        joined[f"layers.{index}.gate_up_proj.weight"] = _joined(
            {f"{mlp}.{name}": config.intermediate_size for name in ("gate_proj", "up_proj")},
            config.hidden_size,
        )
    return joined


def _int8_matrices(network: Llama) -> dict[str, Int8Matrix]:
    return {
        name: module for name, module in network.named_modules() if isinstance(module, Int8Matrix)
    }


def _quantizing(network: Llama, joined: dict[str, Read]) -> dict[str, Read]:
    """Return what reads every matrix as integers, and the scales beside it."""
    computed: dict[str, Read] = {}
    for name, matrix in _int8_matrices(network).items():
        weight = f"{name}.weight"
        shape = (matrix.weight.shape[0], matrix.weight.shape[1])
        quantizing = _Quantizing(joined.get(weight) or _reading(_official_name(weight), shape))
        computed[weight] = quantizing.weight
        computed[f"{name}.scale"] = quantizing.scale
    return computed


class _Quantizing:
    """Reads a matrix once for both its tensors; the weight is asked for first."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._scale: Tensor | None = None

    def weight(self, source: WeightSource) -> Tensor:
        values, self._scale = quantized(self._read(source))
        return values

    def scale(self, source: WeightSource) -> Tensor:
        if self._scale is None:
            self.weight(source)
        assert self._scale is not None
        return self._scale


def _random_integers(network: Llama, seed: int) -> dict[str, Callable[[], Tensor]]:
    """Return what makes the matrices of integers, of the variance that `fill_random` gives."""
    generator = torch.Generator().manual_seed(seed)
    computed: dict[str, Callable[[], Tensor]] = {}
    for name, matrix in _int8_matrices(network).items():
        rows, columns = matrix.weight.shape
        computed[f"{name}.weight"] = partial(
            torch.randint, -LARGEST, LARGEST + 1, (rows, columns), dtype=torch.int8,
            generator=generator,
        )  # fmt: skip
        scale = torch.tensor((3.0 / columns) ** 0.5 / LARGEST).bfloat16()
        computed[f"{name}.scale"] = partial(torch.full, (rows,), float(scale))
    return computed


def _official_name(parameter: str) -> str:
    name = parameter.replace(".o_proj.", ".self_attn.o_proj.")
    return _PREFIX + name.replace(".down_proj.", ".mlp.down_proj.")


def _reading(key: str, shape: tuple[int, ...]) -> Read:
    return lambda source: read_checked(source, key, shape)


def _joined(parts: dict[str, int], columns: int) -> Read:
    """Return what reads several matrices, given with their rows, as one."""

    def read(source: WeightSource) -> Tensor:
        return torch.cat(
            [
                read_checked(source, f"{_PREFIX}{name}.weight", (rows, columns))
                for name, rows in parts.items()
            ]
        )

    return read


def _refined(table: Int8Matrix, hidden: Tensor, first: int, end: int) -> Tensor:
    """Return the products of a single input, the largest of them in float32.

    Rounded to bfloat16, large logits lie on steps of up to an eighth: tokens would be drawn by the
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
