"""The Llama network's weights: read from the official files, or made at random.

Weights have the names of the official checkpoint, but projections of the same input are one matrix
here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from glmtts_core.engines.glmtts.checkpoint.weight_sources import WeightSource
from glmtts_core.engines.glmtts.checkpoint.weights import fill, fill_random, read_checked
from glmtts_core.engines.glmtts.networks.int8_matrix import LARGEST, Int8Matrix, quantized
from glmtts_core.engines.glmtts.networks.llama import Llama, LlamaConfig

#: Reads a tensor, or several as one, from a source of weights.
Read = Callable[[WeightSource], Tensor]
#: Prefix of every key in the checkpoint.
_PREFIX = "model."


def load_llama(
    config: LlamaConfig,
    source: WeightSource,
    *,
    device: torch.device,
    dtype: torch.dtype,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Llama:
    """Build the network and read its weights, one tensor at a time.

    Args:
        config: the sizes.
        source: of the weights.
        device: of the network.
        dtype: of the weights; `torch.int8` means integer matrices and float32 for the rest, on
            the CPU.
        on_bytes: receives the bytes of each tensor after it was filled.

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
    """Build the network with random weights; the arguments are those of `load_llama`."""
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
    """Return functions that read the matrices which are several in the checkpoint."""
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
    """Return functions that read every matrix as integers and scales."""
    computed: dict[str, Read] = {}
    for name, matrix in _int8_matrices(network).items():
        weight = f"{name}.weight"
        shape = (matrix.weight.shape[0], matrix.weight.shape[1])
        quantizing = _Quantizing(joined.get(weight) or _reading(_official_name(weight), shape))
        computed[weight] = quantizing.weight
        computed[f"{name}.scale"] = quantizing.scale
    return computed


class _Quantizing:
    """Reads a matrix once for its two tensors; the weight is needed first."""

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
    """Return functions that make random integer matrices with the variance of `fill_random`."""
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
    """Return a function that reads several matrices as one; ``parts`` gives their rows."""

    def read(source: WeightSource) -> Tensor:
        return torch.cat(
            [
                read_checked(source, f"{_PREFIX}{name}.weight", (rows, columns))
                for name, rows in parts.items()
            ]
        )

    return read
