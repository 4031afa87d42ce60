"""The report's figures as plain dictionaries that Plotly draws in the browser."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any, Final

from glmtts_core.batch.states import LineRow, LineState
from glmtts_core.byte_units import MIB
from glmtts_core.catalogue import Language, text
from glmtts_core.escaping import chart_text

Figure = dict[str, Any]
_ACCENT: Final = "#3f7fae"
_PEAK: Final = "#c98a2b"
_GIVEN_BACK: Final = "#2fa58f"


def memory_figure(
    rows: Sequence[LineRow], cleanups_s: Sequence[float], language: Language
) -> Figure:
    """Return memory before and at the peak of each line, in the order in which they ended.

    Args:
        rows: the lines; those without a measurement are left out.
        cleanups_s: when the run cleaned up (Unix time), rising.
        language: of the legend.
    """
    measured = [row for row in rows if row.status.memory and row.status.ended_s is not None]
    measured.sort(key=lambda row: row.status.ended_s or 0.0)
    names = [chart_text(row.line.uttid) for row in measured]
    places = list(range(1, len(measured) + 1))
    costs = [row.status.memory for row in measured if row.status.memory]
    before = [round(cost.before_bytes / MIB, 1) for cost in costs]
    peak = [round(cost.peak_bytes / MIB, 1) for cost in costs]
    ends_s = [row.status.ended_s or 0.0 for row in measured]
    marks = [bisect.bisect_right(ends_s, at_s) + 0.5 for at_s in cleanups_s]
    top = max(peak, default=0.0)
    return {
        "data": [
            _trace(text("batch.report.peak", language), places, peak, names, _PEAK),
            _trace(text("batch.report.before", language), places, before, names, _ACCENT),
            {
                **_trace("🧹", marks, [top] * len(marks), [""] * len(marks), _GIVEN_BACK),
                "mode": "markers",
                "marker": {"symbol": "star-diamond", "size": 9, "color": _GIVEN_BACK},
            },
        ],
        "layout": _layout(text("batch.report.in_order", language), "MiB"),
    }


def speed_figure(rows: Sequence[LineRow], language: Language) -> Figure:
    """Return seconds of work over seconds of sound, one dot for each line that is done."""
    done = [row for row in rows if row.status.state is LineState.DONE]
    dots = _trace(
        text("batch.report.line", language),
        [row.status.audio_s or 0.0 for row in done],
        [row.status.seconds or 0.0 for row in done],
        [chart_text(row.line.uttid) for row in done],
        _ACCENT,
    )
    dots["mode"] = "markers"
    dots["marker"] = {"size": 6, "color": _ACCENT, "opacity": 0.6}
    longest = max((row.status.audio_s or 0.0 for row in done), default=1.0)
    real_time = _trace("RTF 1", [0, longest], [0, longest], ["", ""], "#8896a3")
    real_time["line"] = {"dash": "dot", "width": 1, "color": "#8896a3"}
    layout = _layout(
        f"{text('batch.report.audio', language)} (s)", f"{text('batch.report.work', language)} (s)"
    )
    return {"data": [dots, real_time], "layout": layout}


def _trace(
    name: str, across: Sequence[float], up: Sequence[float], names: Sequence[str], colour: str
) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(across),
        "y": list(up),
        "text": list(names),
        "line": {"color": colour, "width": 1.5},
        "hovertemplate": "%{text} · %{y}<extra></extra>",
    }


def _layout(across: str, up: str) -> Figure:
    axis = {"gridcolor": "rgba(128,128,128,.2)", "zeroline": False, "rangemode": "tozero"}
    return {
        "height": 300,
        "margin": {"l": 56, "r": 12, "t": 8, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "#808890"},
        "legend": {"orientation": "h", "y": 1.12},
        "xaxis": {**axis, "title": {"text": across}},
        "yaxis": {**axis, "title": {"text": up}},
    }
