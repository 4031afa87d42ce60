"""The laboratory's plots as plain dictionaries, for both the page and the report."""

from __future__ import annotations

from typing import Any, Final

from glmtts_core.byte_units import MIB
from glmtts_core.catalogue import Language, text
from glmtts_core.diagnostics.findings import Findings
from glmtts_core.diagnostics.labels import arm_name, metric_name
from glmtts_core.diagnostics.metrics import Metric
from glmtts_core.escaping import chart_text

Figure = dict[str, Any]

#: One colour an arm, distinguishable by colour-blind readers (after Okabe and Ito).
ARM_COLOURS: Final = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#8c6d31",
    "#7f7f7f",
)


def memory_over_time(findings: Findings, language: Language) -> Figure:
    """Return the main line of every trial, one colour an arm; the legend switches arms."""
    traces: list[Figure] = []
    for number, arm in enumerate(findings.experiment.arms):
        for index, trial in enumerate(findings.of_arm(arm)):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": chart_text(arm_name(arm, language)),
                    "legendgroup": arm.id,
                    "showlegend": index == 0,
                    "x": [round(time_s, 1) for time_s, _ in trial.samples],
                    "y": [round(size / MIB, 1) for _, size in trial.samples],
                    "line": {"width": 1.2, "color": ARM_COLOURS[number % len(ARM_COLOURS)]},
                    "opacity": 0.8,
                    "hovertemplate": "%{y} MiB<extra>%{fullData.name}</extra>",
                }
            )
    layout = _layout(340, text("laboratory.plot.memory", language))
    layout["xaxis"]["ticksuffix"] = " s"
    layout["yaxis"]["ticksuffix"] = " MiB"
    return {"data": traces, "layout": layout}


def box_plot(findings: Findings, metric: Metric, language: Language) -> Figure:
    """Return one metric, a box an arm, each trial a point."""
    scale = {"s": 1.0, "bytes": 1 / MIB, "share": 100.0, "rating": 1.0}[metric.unit]
    suffix = {"s": " s", "bytes": " MiB", "share": " %", "rating": ""}[metric.unit]
    traces: list[Figure] = []
    for number, arm in enumerate(findings.experiment.arms):
        colour = ARM_COLOURS[number % len(ARM_COLOURS)]
        traces.append(
            {
                "type": "box",
                "name": chart_text(arm_name(arm, language)),
                "x": [value * scale for value in findings.figures(arm, metric.of)],
                "boxpoints": "all",
                "jitter": 0.4,
                "pointpos": 0,
                "marker": {"size": 5, "color": colour},
                "line": {"width": 1.2, "color": colour},
                "fillcolor": "rgba(0,0,0,0)",
                "hovertemplate": f"%{{x:.4g}}{suffix}<extra>%{{fullData.name}}</extra>",
            }
        )
    layout = _layout(70 + 46 * len(traces), metric_name(metric, language))
    layout["showlegend"] = False
    layout["xaxis"]["ticksuffix"] = suffix
    layout["yaxis"] |= {"autorange": "reversed", "showgrid": False}
    return {"data": traces, "layout": layout}


def _layout(height_px: int, title: str) -> Figure:
    axis = {"fixedrange": True, "zeroline": False, "tickfont": {"size": 11}, "automargin": True}
    return {
        "height": height_px,
        "margin": {"l": 4, "r": 18, "t": 30, "b": 4},
        "title": {"text": title, "font": {"size": 13}, "x": 0.01, "y": 0.99, "yanchor": "top"},
        "hovermode": "closest",
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.12, "x": 0, "font": {"size": 11}},
        "xaxis": dict(axis) | {"showgrid": False},
        "yaxis": dict(axis) | {"showgrid": True},
    }
