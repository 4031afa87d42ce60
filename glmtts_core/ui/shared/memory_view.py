"""What a memory chart shows: the device or the host, its layers, legend and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from glmtts_core.catalogue import Language, text
from glmtts_core.escaping import Html, html
from glmtts_core.memory.layers import Layer, device_layers, host_layers
from glmtts_core.memory.nvml import DeviceReading
from glmtts_core.memory.probe import MemoryReading
from glmtts_core.sessions.session import Session
from glmtts_core.ui.shared import charts
from glmtts_core.ui.shared.quantities import size
from glmtts_core.ui.shared.theme import LAYER_COLOURS

Readings = tuple[MemoryReading, ...]

#: Points of a chart's lines: a tick's cost grows with them, the eye does not need more.
_POINTS: Final = 80


@dataclass(frozen=True, slots=True)
class MemoryView:
    """One of the machine's memories: a GPU by its NVML index, or with None the host's."""

    device_index: int | None

    def layers(self, reading: MemoryReading) -> dict[Layer, int]:
        """Split a reading into layers; empty where the driver does not tell."""
        if self.device_index is None:
            return host_layers(reading)
        return device_layers(reading, self.device_index) or {}

    def used_bytes(self, reading: MemoryReading) -> int:
        """Return what is in use: the device's by all, or our resident set."""
        if self.device_index is None:
            return reading.resident_set_bytes
        device = self._device(reading)
        return (device.used_bytes or 0) if device is not None else 0

    def total_bytes(self, reading: MemoryReading) -> int | None:
        """Return the device's size; None for the host, whose size says little of one process."""
        device = self._device(reading)
        return device.total_bytes if device is not None else None

    def title(self, reading: MemoryReading, language: Language) -> str:
        """Return the name of the memory as the page shows it."""
        device = self._device(reading)
        if device is None:
            return text("memory_view.host", language)
        return device.name or text("memory_view.device", language, index=device.index)

    def _device(self, reading: MemoryReading) -> DeviceReading | None:
        return next((each for each in reading.devices if each.index == self.device_index), None)


def views(reading: MemoryReading) -> list[MemoryView]:
    """Return the memories that can be shown, the one that matters most first."""
    every = [*(MemoryView(device.index) for device in reading.devices), MemoryView(None)]
    # the one in which the engine computes: only there a cleanup gives something back
    return sorted(every, key=lambda view: view.device_index != reading.main_device)


def recent(session: Session, view: MemoryView, span_s: float) -> Readings:
    """Return the readings of the last ``span_s`` seconds for one draw of a view's chart."""
    monitor = session.studio.monitor
    # a point is the highest of its neighbours, so the newest reading is added as it is
    return (*monitor.samples(span_s, _POINTS, view.used_bytes), monitor.latest())


def chart(
    session: Session,
    view: MemoryView,
    readings: Readings,
    language: Language,
    *,
    span_s: float,
    height_px: int,
) -> charts.Figure:
    """Return the memory chart of ``readings``, which are those of the last ``span_s`` seconds."""
    return charts.memory(
        readings,
        session.studio.monitor.events(span_s),
        view.layers,
        language,
        span_s=span_s,
        height_px=height_px,
        total_bytes=view.total_bytes(readings[-1]),
    )


def figures_html(
    session: Session, view: MemoryView, readings: Readings, language: Language
) -> Html:
    """Return now, peak and reclaimable as one line of HTML."""
    used_bytes = [view.used_bytes(reading) for reading in readings]
    total_bytes = view.total_bytes(readings[-1])
    used = size(used_bytes[-1])
    promise = session.promise()
    rows = [
        ("memory_view.now", f"{used} / {size(total_bytes)}" if total_bytes else used),
        ("memory_view.peak", size(max(used_bytes))),
    ]
    if view.device_index == readings[-1].main_device:
        about = "" if promise.exact else "≈ "
        rows.append(("memory_view.reclaimable", about + size(promise.bytes)))
    if view.device_index is None and readings[-1].pages_bytes is not None:
        rows += _by_process(readings[-1])
    cells = [
        f"<div><span>{html(text(key, language))}</span> <b>{html(value)}</b></div>"
        for key, value in rows
    ]
    return Html(f'<div class="glm-figures">{"".join(cells)}</div>')


def _by_process(reading: MemoryReading) -> list[tuple[str, str]]:
    """Return the two parts of the host's memory: the engines' processes, and the pages' own."""
    engines = reading.engines_bytes
    return [
        ("memory_view.engine", size(engines) if engines else "–"),
        ("memory_view.web", size(reading.resident_set_bytes - engines)),
    ]


def legend_html(reading: MemoryReading, view: MemoryView, language: Language) -> Html:
    """Return the layers that are there, with their sizes, as HTML."""
    layers = view.layers(reading)
    cells = [
        f'<div><i style="background:{html(LAYER_COLOURS[layer])}"></i>'
        f"{html(text(f'layer.{layer.value}', language))} {size(layers[layer])}</div>"
        for layer in charts.STACK
        if layers.get(layer)
    ]
    return Html(f'<div class="glm-legend">{"".join(cells)}</div>')
