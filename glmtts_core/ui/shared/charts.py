"""Plotly figures as plain dictionaries: building them costs a tenth of Plotly's own objects.

Knows nothing about widgets; every figure is a pure function of its data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from glmtts_core.audio import Samples, envelope, log_mel
from glmtts_core.byte_units import GIB, MIB
from glmtts_core.catalogue import Language, text
from glmtts_core.escaping import chart_text
from glmtts_core.memory.layers import Layer
from glmtts_core.memory.monitor import Event, EventKind
from glmtts_core.memory.probe import MemoryReading
from glmtts_core.ui.shared.theme import LAYER_COLOURS

Figure = dict[str, Any]
Layers = Callable[[MemoryReading], dict[Layer, int]]

#: Bottom to top; free memory is the room that is left above.
STACK: Final = (
    Layer.OTHER,
    Layer.UNKNOWN,
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
_MARKS: Final[dict[EventKind, tuple[str, str]]] = {
    EventKind.SYNTHESIS_START: ("triangle-up", "#3f7fae"),
    EventKind.CLEANUP: ("star-diamond", "#2fa58f"),
    EventKind.UNLOAD: ("star-diamond", "#8b74c4"),
    EventKind.LOAD: ("diamond", "#8896a3"),
    EventKind.OUT_OF_MEMORY: ("x", "#c8453b"),
    EventKind.ENGINE_LOST: ("cross", "#c8453b"),
}
_WAVE_POINTS: Final = 600
#: Bands quieter than this below the loudest are drawn in the darkest colour.
_MEL_RANGE_DB: Final = 80.0
_ACCENT: Final = "#3f7fae"


def memory(
    samples: Sequence[MemoryReading],
    events: Sequence[Event],
    layers: Layers,
    language: Language,
    *,
    span_s: float,
    height_px: int,
    total_bytes: int | None = None,
) -> Figure:
    """Return the stacked memory layers over the last ``span_s`` seconds with event marks.

    Args:
        samples: oldest first.
        events: marks; those of other kinds than the chart knows are left out.
        layers: splits a reading into layers.
        language: of the legend and the hover texts.
        span_s: width of the time axis in seconds, ending at the newest sample.
        height_px: height of the figure.
        total_bytes: the device's size, drawn as the top of the axis; None scales to the data.
    """
    if not samples:
        return {"data": [], "layout": _layout(height_px)}
    now_s = samples[-1].time_s
    stacks = [layers(sample) for sample in samples]
    tallest = float(total_bytes or max(sum(stack.values()) for stack in stacks) or 1)
    unit_bytes, unit = (GIB, "GiB") if tallest >= GIB else (MIB, "MiB")
    seconds_ago = [round(sample.time_s - now_s, 1) for sample in samples]
    traces = [
        _layer_trace(layer, seconds_ago, stacks, unit_bytes, unit, language)
        for layer in STACK
        if any(stack.get(layer) for stack in stacks)
    ]
    top = tallest / unit_bytes * 1.1
    traces.append(_marks_trace(events, now_s, span_s, top, language))
    layout = _layout(height_px)
    layout["xaxis"] |= _time_axis(span_s, language)
    layout["yaxis"] |= {"range": [0, top], "ticksuffix": f" {unit}", "nticks": 5}
    return {"data": traces, "layout": layout}


def waveform(samples: Samples, sample_rate_hz: int, title: str) -> Figure:
    """Return the waveform's outline; ``samples`` float32 of shape (frames,)."""
    lows, highs = envelope(samples, _WAVE_POINTS)
    times = np.round(np.linspace(0, len(samples) / sample_rate_hz, len(lows)), 3)
    line = {"color": _ACCENT, "width": 0.5}
    common = {"type": "scatter", "mode": "lines", "x": times.tolist(), "line": line}
    layout = _layout(170, title)
    layout["yaxis"] |= {"range": [-1, 1], "nticks": 3}
    layout["xaxis"] |= {"ticksuffix": " s", "nticks": 6}
    return {
        "data": [
            common | {"y": np.round(lows, 4).tolist(), "hoverinfo": "skip"},
            common
            | {"y": np.round(highs, 4).tolist(), "fill": "tonexty", "fillcolor": _ACCENT}
            | {"hoverinfo": "skip"},
        ],
        "layout": layout,
    }


def mel_spectrogram(samples: Samples, sample_rate_hz: int, title: str) -> Figure:
    """Return the log-mel spectrogram; ``samples`` float32 of shape (frames,)."""
    bands = log_mel(samples, sample_rate_hz)
    duration_s = len(samples) / sample_rate_hz
    layout = _layout(170, title)
    layout["xaxis"] |= {"ticksuffix": " s", "nticks": 6}
    layout["yaxis"] |= {"showticklabels": False}
    # one byte a point keeps the message to the browser small
    above_floor = bands - (bands.max(initial=-np.inf) - _MEL_RANGE_DB)
    heatmap = {
        "type": "heatmap",
        "z": np.clip(np.rint(above_floor), 0, _MEL_RANGE_DB).astype(np.uint8),
        "x0": 0,
        "dx": round(duration_s / max(1, bands.shape[1]), 4),
        "colorscale": "Viridis",
        "showscale": False,
        "hoverinfo": "skip",
    }
    return {"data": [heatmap], "layout": layout}


def _layout(height_px: int, title: str = "") -> Figure:
    axis = {"fixedrange": True, "zeroline": False, "showgrid": False, "tickfont": {"size": 10}}
    layout: Figure = {
        "height": height_px,
        "margin": {"l": 4, "r": 18, "t": 24 if title else 4, "b": 4},
        "showlegend": False,
        "hovermode": "x unified",
        "xaxis": dict(axis) | {"automargin": True},
        "yaxis": dict(axis) | {"automargin": True, "showgrid": True},
        # zoom and hover survive the redraw of every tick
        "uirevision": "keep",
    }
    if title:
        layout["title"] = {"text": title, "font": {"size": 12}, "x": 0.01, "y": 0.98}
    return layout


def _layer_trace(
    layer: Layer,
    seconds_ago: list[float],
    stacks: Sequence[dict[Layer, int]],
    unit_bytes: int,
    unit: str,
    language: Language,
) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "stackgroup": "layers",
        "name": text(f"layer.{layer.value}", language),
        "x": seconds_ago,
        "y": [round(stack.get(layer, 0) / unit_bytes, 3) for stack in stacks],
        "line": {"width": 0, "color": LAYER_COLOURS[layer]},
        "fillcolor": LAYER_COLOURS[layer],
        "hovertemplate": f"%{{y}} {unit}",
    }


def _marks_trace(
    events: Sequence[Event], now_s: float, span_s: float, top: float, language: Language
) -> Figure:
    shown = [event for event in events if event.kind in _MARKS and event.time_s >= now_s - span_s]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "",
        "cliponaxis": False,
        "x": [round(event.time_s - now_s, 1) for event in shown],
        "y": [top * 0.95] * len(shown),
        "marker": {
            "symbol": [_MARKS[event.kind][0] for event in shown],
            "color": [_MARKS[event.kind][1] for event in shown],
            "size": 9,
        },
        "text": [
            chart_text(f"{text(f'event.{event.kind.value}', language)} {event.label}")
            for event in shown
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _time_axis(span_s: float, language: Language) -> Figure:
    steps = 2 if span_s <= 150 else 5
    marks = [-span_s * step / steps for step in range(steps, -1, -1)]
    names = [_ago(-mark, language) for mark in marks]
    return {"range": [-span_s, 0], "tickvals": marks, "ticktext": names}


def _ago(seconds_ago: float, language: Language) -> str:
    if seconds_ago == 0:
        return text("chart.now", language)
    if seconds_ago < 60:
        return text("chart.seconds_ago", language, seconds=f"{seconds_ago:.0f}")
    return text("chart.minutes_ago", language, minutes=f"{seconds_ago / 60:.3g}")
