"""The memory of a device or the machine as a tree for a treemap: a part is the sum of its children.

The layers of the chart (`memory.layers`) give the totals; the ledger gives the parts of weights and
caches. The two are read a moment apart: what remains of a total is called unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from glmtts_core.memory.layers import Layer, device_layers, host_layers
from glmtts_core.memory.ledger import (
    CACHE_KINDS,
    WEIGHT_KINDS,
    LedgerEntry,
    LedgerKind,
    LedgerSnapshot,
)
from glmtts_core.memory.probe import MemoryReading
from glmtts_core.message import Message

#: Layers that hold weights; WEIGHTS are those of an engine with one network.
_WEIGHT_LAYERS: Final = (
    Layer.LANGUAGE_MODEL,
    Layer.FLOW,
    Layer.VOCODER,
    Layer.TOKENIZER,
    Layer.WEIGHTS,
)
#: Layers outside our own processes.
_NOT_OURS: Final = (Layer.OTHER, Layer.UNKNOWN, Layer.FREE)
#: Characters of a session's id that are shown: the whole id gives access to its results.
_SHOWN_ID: Final = 4
#: Name of the part that is this program.
PROCESS: Final = Message("breakdown.process")
#: How weights are named.
_NAMED: Final = {
    LedgerKind.WEIGHTS: "breakdown.named",
    LedgerKind.SPARE_WEIGHTS: "breakdown.spare",
}


@dataclass(frozen=True, slots=True)
class MemoryPart:
    """One rectangle of the treemap.

    Attributes:
        name: what it is.
        size_bytes: its size; with children, exactly their sum.
        children: what it consists of; empty if that is unknown.
        layer: the layer of the chart whose colour it has.
    """

    name: Message
    size_bytes: int
    children: tuple[MemoryPart, ...] = ()
    layer: Layer | None = None


@dataclass(frozen=True, slots=True)
class TreemapRow:
    """A part with its number and its parent's (None for the root), as chart libraries take it."""

    number: int
    parent: int | None
    part: MemoryPart


def rows(root: MemoryPart) -> list[TreemapRow]:
    """Return the tree as a list, parents before their children."""
    found = [TreemapRow(0, None, root)]
    for row in found:  # grows meanwhile
        for child in row.part.children:
            found.append(TreemapRow(len(found), row.number, child))
    return found


def device_breakdown(reading: MemoryReading, kept: LedgerSnapshot, index: int) -> MemoryPart | None:
    """Break down one GPU; None if its size is unknown."""
    layers = device_layers(reading, index)
    device = next((entry for entry in reading.devices if entry.index == index), None)
    if layers is None or device is None:
        return None
    ours_here = index == reading.main_device
    entries = [entry for entry in kept.entries if entry.on_device] if ours_here else []
    process = _whole(PROCESS, _process_parts(layers, entries))
    beside = [_layer(layer, layers[layer]) for layer in _NOT_OURS]
    name = Message("breakdown.device", {"name": device.name or f"GPU {index}"})
    return _whole(name, [process, *beside])


def host_breakdown(reading: MemoryReading, kept: LedgerSnapshot) -> MemoryPart:
    """Break down the machine's memory: our resident set, other programs, free."""
    entries = [entry for entry in kept.entries if not entry.on_device]
    process = _whole(PROCESS, _process_parts(host_layers(reading), entries))
    total = max(reading.host_total_bytes, process.size_bytes)
    left = total - process.size_bytes
    free = min(max(0, reading.host_available_bytes), left)
    beside = {Layer.OTHER: left - free, Layer.FREE: free}
    parts = [_layer(layer, size) for layer, size in beside.items()]
    return _whole(Message("breakdown.machine"), [process, *parts])


def _process_parts(layers: Mapping[Layer, int], entries: Sequence[LedgerEntry]) -> list[MemoryPart]:
    parts = []
    for layer, size in layers.items():
        if layer in _NOT_OURS:
            continue
        if layer in _WEIGHT_LAYERS:
            children = _weights(layer, size, entries)
        elif layer is Layer.CACHES:
            children = _caches(size, entries)
        else:
            children = ()
        parts.append(_layer(layer, size, children))
    return parts


def _weights(layer: Layer, size: int, entries: Iterable[LedgerEntry]) -> tuple[MemoryPart, ...]:
    """Return the weights of one layer by their names in the ledger; spare ones are marked."""
    weights = [
        MemoryPart(Message(_NAMED[entry.kind], {"name": entry.name}), entry.size_bytes, layer=layer)
        for entry in entries
        if entry.kind in WEIGHT_KINDS
        and layer == (Layer.WEIGHTS if entry.part is None else Layer(entry.part.value))
    ]
    return _filled(size, weights, layer)


def _caches(size: int, entries: Sequence[LedgerEntry]) -> tuple[MemoryPart, ...]:
    """Return the caches by kind, and each kind by session."""
    kinds = []
    for kind in sorted(CACHE_KINDS):
        owners: dict[str, int] = {}
        for entry in entries:
            if entry.kind is kind:
                owners[entry.owner] = owners.get(entry.owner, 0) + entry.size_bytes
        if owners:
            sessions = [_session(owner, held) for owner, held in sorted(owners.items())]
            name = Message(f"breakdown.{kind}")
            kinds.append(MemoryPart(name, sum(owners.values()), tuple(sessions), Layer.CACHES))
    return _filled(size, kinds, Layer.CACHES)


def _session(owner: str, size_bytes: int) -> MemoryPart:
    name = Message("breakdown.session", {"name": owner[:_SHOWN_ID]})
    return MemoryPart(name, size_bytes, layer=Layer.CACHES)


def _filled(size: int, parts: Sequence[MemoryPart], layer: Layer) -> tuple[MemoryPart, ...]:
    """Return the parts that fit into ``size``, and an unknown part for the rest."""
    children, left = [], size
    for part in parts:
        if 0 < part.size_bytes <= left:
            children.append(part)
            left -= part.size_bytes
    if children and left:
        children.append(MemoryPart(Message("layer.unknown"), left, layer=layer))
    return tuple(children)


def _layer(layer: Layer, size: int, children: tuple[MemoryPart, ...] = ()) -> MemoryPart:
    return MemoryPart(Message(f"layer.{layer}"), size, children, layer)


def _whole(name: Message, parts: Iterable[MemoryPart]) -> MemoryPart:
    there = tuple(part for part in parts if part.size_bytes > 0)
    return MemoryPart(name, sum(part.size_bytes for part in there), there)
