"""Fills a module with weights from a source: checked, one tensor at a time, in the wanted dtype.

Knows nothing about what the networks compute.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import torch
from torch import nn

from glmtts_core.engines.glmtts.checkpoint.weight_sources import WeightSource
from glmtts_core.errors import CheckpointError

#: Half width of random norm weights around one.
_NEAR_ONE: Final = 0.1
#: Half width of random biases.
_NEAR_ZERO: Final = 0.02


def fill(
    module: nn.Module,
    source: WeightSource,
    *,
    device: torch.device,
    dtype: torch.dtype,
    name: Callable[[str], str] = lambda parameter: parameter,
    keep_float32: Callable[[str], bool] = lambda _: False,
    computed: Mapping[str, Callable[[WeightSource], torch.Tensor]] | None = None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> None:
    """Give every parameter and buffer of ``module`` its tensor from ``source``.

    One tensor at a time is cast and copied straight to its place, so that the weights are never in
    memory twice. Other keys of the source are ignored.

    Args:
        module: built under ``torch.device("meta")``; ready for inference afterwards, without
            gradients. Parameters that are tied stay tied.
        source: of the tensors.
        device: of the module.
        dtype: what floating-point tensors become; others keep the module's dtype.
        name: maps a parameter's name in the module to its key in the source.
        keep_float32: whether a name stays in float32 whatever ``dtype`` is.
        computed: functions that compute the tensors which are not read directly (folded weights,
            tables, buffers that are in no file); the same rules of shape and dtype apply.
        on_bytes: receives the bytes of each tensor after it was filled.

    Raises:
        CheckpointError: a key is missing or has another shape; the message names file and key.
        ValueError: a buffer that is in no file is not among ``computed``.
    """
    made = computed or {}

    def host_tensor(names: Sequence[str], expected: torch.Tensor) -> torch.Tensor:
        for each in names:
            if each in made:
                return made[each](source)
        keys = [name(each) for each in names]
        key = next((each for each in keys if each in source.keys()), None)  # noqa: SIM118
        return read_checked(source, key or keys[0], tuple(expected.shape))

    _fill_all(module, host_tensor, _Target(device, dtype, keep_float32), set(made), on_bytes)


def fill_random(
    module: nn.Module,
    *,
    device: torch.device,
    dtype: torch.dtype,
    seed: int,
    keep_float32: Callable[[str], bool] = lambda _: False,
    computed: Mapping[str, Callable[[], torch.Tensor]] | None = None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> None:
    """Give ``module`` random weights of a scale that keeps activations in a normal range.

    Matrices and kernels are uniform with variance 1 / fan-in, norm weights lie near one and biases
    near zero. The same seed, device and dtype give the same weights.

    Args:
        module: as in `fill`.
        device: of the module.
        dtype: as in `fill`.
        seed: of a generator of its own.
        keep_float32: as in `fill`.
        computed: functions that compute the tensors which must not be random; every buffer needs
            one.
        on_bytes: as in `fill`.

    Raises:
        ValueError: a buffer without an entry in ``computed``.
    """
    made = computed or {}
    target = _Target(device, dtype, keep_float32)
    generator = torch.Generator(device).manual_seed(seed)
    buffers = {each for each, _ in module.named_buffers()}

    def random_tensor(names: Sequence[str], expected: torch.Tensor) -> torch.Tensor:
        first = names[0]
        if first in made:
            return made[first]()
        if first in buffers:
            raise ValueError(f"buffer {first} has no value")
        values = torch.empty(expected.shape, dtype=target.dtype_of(first, expected), device=device)
        centre, width = _random_range(module, first, expected)
        return values.uniform_(centre - width, centre + width, generator=generator)

    _fill_all(module, random_tensor, target, set(made), on_bytes)


def read_checked(source: WeightSource, key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Return ``key`` from ``source`` after checking its shape.

    Raises:
        CheckpointError: the key is missing or has another shape.
    """
    if key not in source.keys():  # noqa: SIM118 - a source, not a dictionary
        raise CheckpointError("checkpoint.key_missing", file=source.where(key), weight=key)
    found = source.shape(key)
    if found != shape:
        raise CheckpointError(
            "checkpoint.wrong_shape",
            file=source.where(key),
            weight=key,
            found=list(found),
            expected=list(shape),
        )
    return source.read(key)


def held_bytes(module: nn.Module) -> int:
    """Return the bytes of all parameters and buffers; shared storage counts once."""
    storages = {
        storage.data_ptr(): storage.nbytes()
        for storage in (
            tensor.untyped_storage()
            for tensor in (*module.parameters(), *module.buffers())
            if not tensor.is_meta
        )
    }
    return sum(storages.values())


class _Target:
    """Device and dtype of the filled tensors."""

    def __init__(
        self, device: torch.device, dtype: torch.dtype, keep_float32: Callable[[str], bool]
    ) -> None:
        self.device = device
        self._dtype = dtype
        self._keep_float32 = keep_float32

    def dtype_of(self, name: str, expected: torch.Tensor) -> torch.dtype:
        if not expected.is_floating_point():
            return expected.dtype
        return torch.float32 if self._keep_float32(name) else self._dtype

    def place(self, name: str, tensor: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
        """Return ``tensor`` on the device in its dtype: a copy, unless it is there already."""
        dtype = self.dtype_of(name, expected)
        if tensor.dtype == dtype and tensor.device.type == self.device.type != "cpu":
            return tensor
        return torch.empty(tensor.shape, dtype=dtype, device=self.device).copy_(tensor)


def _fill_all(
    module: nn.Module,
    tensor_for: Callable[[Sequence[str], torch.Tensor], torch.Tensor],
    target: _Target,
    computed: set[str],
    on_bytes: Callable[[int], None],
) -> None:
    with torch.no_grad():
        for names, expected in _names_by_tensor(module, computed):
            made = tensor_for(names, expected)
            if made.shape != expected.shape:
                raise ValueError(f"{names[0]} was made as {made.shape}, not {expected.shape}")
            placed = target.place(names[0], made, expected)
            # releases the mapped original before the next tensor is read
            del made
            _put(module, names, placed, as_parameter=isinstance(expected, nn.Parameter))
            on_bytes(placed.nbytes)


def _names_by_tensor(module: nn.Module, computed: set[str]) -> list[tuple[list[str], torch.Tensor]]:
    """Return each distinct parameter and buffer to be filled, with all its names."""
    grouped: dict[int, tuple[list[str], torch.Tensor]] = {}
    unsaved = _unsaved_buffers(module) - computed
    everything = [
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ]
    for name, tensor in everything:
        if name not in unsaved:
            grouped.setdefault(id(tensor), ([], tensor))[0].append(name)
        elif tensor.is_meta:
            raise ValueError(f"buffer {name} has no value")
    return list(grouped.values())


def _unsaved_buffers(module: nn.Module) -> set[str]:
    """Return the names of the buffers that are in no state dict."""
    saved = set(module.state_dict(keep_vars=True))
    return {name for name, _ in module.named_buffers(remove_duplicate=False)} - saved


def _put(
    module: nn.Module, names: Sequence[str], tensor: torch.Tensor, *, as_parameter: bool
) -> None:
    value = nn.Parameter(tensor, requires_grad=False) if as_parameter else tensor
    for name in names:
        owner, _, leaf = name.rpartition(".")
        setattr(module.get_submodule(owner), leaf, value)


def _random_range(module: nn.Module, name: str, expected: torch.Tensor) -> tuple[float, float]:
    """Return centre and half width of the uniform distribution for one parameter."""
    owner, _, leaf = name.rpartition(".")
    if leaf in ("bias", "beta"):
        return 0.0, _NEAR_ZERO
    if sum(size > 1 for size in expected.shape) < 2:
        return 1.0, _NEAR_ONE
    transposed = isinstance(module.get_submodule(owner), nn.ConvTranspose1d)
    fan_in = expected.numel() // expected.shape[1 if transposed else 0]
    # uniform on ±w has the variance w² / 3
    return 0.0, math.sqrt(3.0 / fan_in)
