"""The layers of the stacked memory chart; they add up to the whole, to the byte.

Figures from different sources never agree exactly. So each layer takes at most what the layers
before it leave, and what no source explains is a layer of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from glmtts_core.memory.ledger import WeightsPart
from glmtts_core.memory.probe import MemoryReading


class Layer(StrEnum):
    """The layers from the bottom to the top of the chart.

    WEIGHTS are those of an engine with one network; the four before it are for one with several.
    """

    LANGUAGE_MODEL = WeightsPart.LANGUAGE_MODEL.value
    FLOW = WeightsPart.FLOW.value
    VOCODER = WeightsPart.VOCODER.value
    TOKENIZER = WeightsPart.TOKENIZER.value
    WEIGHTS = "weights"
    CACHES = "caches"
    WORKSPACE = "workspace"
    RECLAIMABLE = "reclaimable"
    OUTSIDE = "outside"
    PAGES = "pages"
    OTHER = "other"
    UNKNOWN = "unknown"
    FREE = "free"


#: Layers of the host chart; the others have no meaning for a program's resident set.
HOST_LAYERS: Final = (
    Layer.PAGES,
    Layer.OUTSIDE,
    Layer.LANGUAGE_MODEL,
    Layer.FLOW,
    Layer.VOCODER,
    Layer.TOKENIZER,
    Layer.WEIGHTS,
    Layer.CACHES,
    Layer.WORKSPACE,
    Layer.RECLAIMABLE,
)


def device_layers(reading: MemoryReading, index: int) -> dict[Layer, int] | None:
    """Split the whole of one GPU; None where even its size is unknown.

    OUTSIDE: used by our processes outside torch. UNKNOWN: used by an unidentified process.
    """
    device = next((entry for entry in reading.devices if entry.index == index), None)
    if device is None or device.total_bytes is None:
        return None
    if device.used_bytes is None:
        return _split(device.total_bytes, [], Layer.UNKNOWN)
    used = min(max(0, device.used_bytes), device.total_bytes)
    tensors = _tensor_layers(reading, used) if index == reading.main_device else {}
    held = sum(tensors.values())
    rest = used - held
    if device.process_used_bytes is None:
        above = {Layer.UNKNOWN: rest}
    else:
        outside = min(max(0, device.process_used_bytes - held), rest)
        above = {Layer.OUTSIDE: outside, Layer.OTHER: rest - outside}
    layers = dict.fromkeys(Layer, 0) | tensors | above
    layers[Layer.FREE] = device.total_bytes - used
    return layers


def host_layers(reading: MemoryReading) -> dict[Layer, int]:
    """Split our resident set; OUTSIDE is the program itself: code, libraries, language rules.

    Where engines have processes of their own, PAGES is the one that serves the pages.
    """
    on_host = reading.allocated_bytes is None
    parts = [
        (Layer.PAGES, reading.pages_bytes or 0),
        *_weights(reading.host_parts, reading.weights_bytes - reading.weights_on_device_bytes),
        (Layer.CACHES, reading.caches_bytes - reading.caches_on_device_bytes),
        (Layer.RECLAIMABLE, reading.idle_bytes if on_host else 0),
        (Layer.WORKSPACE, (reading.workspace_bytes or 0) if on_host else 0),
    ]
    layers = _split(reading.resident_set_bytes, parts, Layer.OUTSIDE)
    return {layer: layers[layer] for layer in HOST_LAYERS}


def _tensor_layers(reading: MemoryReading, used: int) -> dict[Layer, int]:
    """Split what torch reserves; free blocks inside live segments count as workspace."""
    parts = [
        *_weights(reading.device_parts, reading.weights_on_device_bytes),
        (Layer.CACHES, reading.caches_on_device_bytes),
        (Layer.RECLAIMABLE, reading.idle_bytes),
    ]
    return _split(min(used, max(0, reading.reserved_bytes or 0)), parts, Layer.WORKSPACE)


def _weights(parts: Mapping[WeightsPart, int], whole: int) -> list[tuple[Layer, int]]:
    """Return the layers of the networks, and of the other weights."""
    layers = [(Layer(part.value), size) for part, size in parts.items()]
    return [*layers, (Layer.WEIGHTS, whole - sum(parts.values()))]


def _split(whole: int, parts: list[tuple[Layer, int]], remainder: Layer) -> dict[Layer, int]:
    """Give each part its size, at most what is left, and ``remainder`` the rest."""
    layers = dict.fromkeys(Layer, 0)
    left = max(0, whole)
    for layer, size in parts:
        layers[layer] = min(max(0, size), left)
        left -= layers[layer]
    layers[remainder] += left
    return layers
