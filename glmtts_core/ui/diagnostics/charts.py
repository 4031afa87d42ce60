"""The diagnostics page's own figures as plain dictionaries; each a pure function of its data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from glmtts_core.byte_units import MIB
from glmtts_core.catalogue import Language, text
from glmtts_core.diagnostics.breakdown import MemoryPart, rows
from glmtts_core.escaping import chart_text
from glmtts_core.memory.allocator_picture import AllocatorPicture, BlockState
from glmtts_core.ui.shared.quantities import size
from glmtts_core.ui.shared.theme import LAYER_COLOURS

Figure = dict[str, Any]

#: Segments of the allocator that are drawn, the largest first.
_SEGMENTS: Final = 40
_STATES: Final = {
    BlockState.ACTIVE: ("in_use", "#3f7fae"),
    BlockState.AWAITING_FREE: ("waiting", "#8b74c4"),
    BlockState.PENDING_FREE: ("waiting", "#8b74c4"),
    BlockState.INACTIVE: ("free", "#e8a33d"),
}
_ROOT_COLOUR: Final = "rgba(128,140,150,0.10)"


def treemap(root: MemoryPart, language: Language) -> Figure:
    """Return the parts as rectangles; every rectangle is the sum of those inside of it."""
    listed = rows(root)
    trace = {
        "type": "treemap",
        "ids": [str(row.number) for row in listed],
        "parents": ["" if row.parent is None else str(row.parent) for row in listed],
        "labels": [chart_text(row.part.name.text(language)) for row in listed],
        "values": [row.part.size_bytes for row in listed],
        "text": [size(row.part.size_bytes) for row in listed],
        "branchvalues": "total",
        "texttemplate": "%{label}<br>%{text}",
        "hovertemplate": "%{label}<br>%{text} · %{percentRoot:.1%}<extra></extra>",
        "marker": {
            "colors": [
                _ROOT_COLOUR if row.part.layer is None else LAYER_COLOURS[row.part.layer]
                for row in listed
            ],
            "line": {"width": 1},
        },
        "pathbar": {"visible": False},
        "tiling": {"pad": 2},
    }
    layout = {"height": 320, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "uirevision": "keep"}
    return {"data": [trace], "layout": layout}


def segments(picture: AllocatorPicture, language: Language) -> Figure:
    """Return the largest segments as bars, cut into their blocks."""
    shown = picture.segments[:_SEGMENTS]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": text(f"diagnostics.block.{name}", language),
            "base": [block.offset_bytes / MIB for _, block in found],
            "x": [block.size_bytes / MIB for _, block in found],
            "y": [number for number, _ in found],
            "marker": {"color": colour, "line": {"width": 0.5, "color": "rgba(255,255,255,.6)"}},
            "hovertemplate": "%{x:.1f} MiB",
        }
        for name, colour in dict.fromkeys(_STATES.values())
        if (
            found := [
                (number, block)
                for number, segment in enumerate(shown)
                for block in segment.blocks
                if _STATES[block.state][0] == name
            ]
        )
    ]
    axis = {"fixedrange": True, "zeroline": False, "automargin": True}
    layout = {
        "height": 90 + 9 * len(shown),
        "margin": {"l": 4, "r": 18, "t": 4, "b": 4},
        "barmode": "overlay",
        "bargap": 0.15,
        "legend": {"orientation": "h", "y": -0.15},
        "xaxis": dict(axis) | {"ticksuffix": " MiB"},
        "yaxis": dict(axis) | {"autorange": "reversed", "showticklabels": False},
    }
    return {"data": traces, "layout": layout}


def growth(after_bytes: Sequence[int], language: Language) -> Figure:
    """Return the memory in use after each synthesis."""
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(range(1, len(after_bytes) + 1)),
        "y": [round(held / MIB, 1) for held in after_bytes],
        "line": {"color": "#3f7fae", "width": 1.5},
        "marker": {"size": 6},
        "hovertemplate": "#%{x}: %{y} MiB<extra></extra>",
    }
    axis = {"fixedrange": True, "zeroline": False, "automargin": True}
    layout = {
        "height": 240,
        "margin": {"l": 4, "r": 18, "t": 4, "b": 4},
        "showlegend": False,
        "xaxis": dict(axis)
        | {"showgrid": False, "dtick": max(1, len(after_bytes) // 10)}
        | {"title": {"text": text("diagnostics.synthesis_number", language), "font": {"size": 11}}},
        "yaxis": dict(axis) | {"ticksuffix": " MiB"},
    }
    return {"data": [trace], "layout": layout}
