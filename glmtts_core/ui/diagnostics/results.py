"""What an experiment has found: conclusions, table, plots, downloads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import streamlit as st

from glmtts_core.diagnostics import plots, report
from glmtts_core.diagnostics.findings import Cell, Findings, table
from glmtts_core.diagnostics.labels import (
    arm_name,
    conclusions,
    faults,
    metric_name,
    summary_words,
)
from glmtts_core.diagnostics.metrics import Metric
from glmtts_core.diagnostics.research.claim_checks import check_claims
from glmtts_core.diagnostics.research.claims import Answer
from glmtts_core.diagnostics.research.listening import Listening
from glmtts_core.escaping import Html, html
from glmtts_core.ui.diagnostics.experiment import Shown, choose, kept_listening, shown
from glmtts_core.ui.page import Page

T = TypeVar("T")
_PLOT: Final = {"displayModeBar": False}
_CELLS: Final = "laboratory_cells"
_ANSWERS: Final = "laboratory_answers"


@dataclass(frozen=True, slots=True)
class _Kept:
    """A cached result, and the findings and the blind test that it was computed from."""

    found: Findings | None
    heard: Listening | None
    value: list[Any]


def show(page: Page) -> None:
    """Draw the findings, or say what to do first."""
    choose(page)
    kept = shown(page)
    if kept is None or not kept.found.trials:
        st.html(f'<div class="glm-muted">{html(page.text("diagnostics.nothing_yet"))}</div>')
        return
    found = kept.found
    cells = _table(found)
    began = f"{found.began_at.astimezone():%Y-%m-%d %H:%M}"
    st.subheader(page.markdown("diagnostics.found", engine=found.experiment.engine), anchor=False)
    facts = page.markdown(
        "diagnostics.found_facts",
        began=began,
        done=len(found.trials),
        count=len(found.experiment.trials()),
    )
    st.caption(facts)
    sentences = [*conclusions(found, cells, page.language), *faults(found, page.language)]
    st.html(f"<ul class='glm-facts'>{''.join(f'<li>{html(each)}</li>' for each in sentences)}</ul>")
    _failures(page, found)
    st.html(_table_html(page, found, cells))
    st.caption(page.text("laboratory.table_help"))
    _plots(page, found, cells)
    _downloads(page, kept)


def claim_answers(found: Findings | None, heard: Listening | None) -> list[Answer]:
    """Return the answers to the claims, worked out once for the same findings and blind test."""
    return _once(_ANSWERS, found, lambda: check_claims(found, heard), heard)


def _table(found: Findings) -> list[Cell]:
    return _once(_CELLS, found, lambda: table(found))


def _once(
    key: str,
    found: Findings | None,
    work: Callable[[], list[T]],
    heard: Listening | None = None,
) -> list[T]:
    """Return the cached result; recompute it when the findings or the test changed.

    The bootstrap takes tenths of a second.
    """
    kept = st.session_state.get(key)
    if not isinstance(kept, _Kept) or kept.found is not found or kept.heard != heard:
        kept = st.session_state[key] = _Kept(found, heard, work())
    return kept.value


def _failures(page: Page, found: Findings) -> None:
    failed = [trial for trial in found.trials if trial.failure]
    if failed:
        reasons = "; ".join(sorted({trial.failure for trial in failed}))
        st.warning(page.markdown("diagnostics.failed_trials", count=len(failed), reason=reasons))


def _table_html(page: Page, found: Findings, cells: list[Cell]) -> Html:
    names = [arm_name(arm, page.language) for arm in found.experiment.arms]
    head = "".join(f"<th>{html(name)}</th>" for name in names)
    rows = []
    for metric in Metric:
        row = "".join(_cell_html(each) for each in cells if each.metric is metric)
        rows.append(f"<tr><th>{html(metric_name(metric, page.language))}</th>{row}</tr>")
    return Html(
        f'<div class="glm-scroll"><table class="glm-table"><tr><th></th>{head}</tr>'
        f"{''.join(rows)}</table></div>"
    )


def _cell_html(cell: Cell) -> Html:
    words = summary_words(cell.summary, cell.metric.unit)
    median, bracket, spread = words.partition(" (")
    return Html(f"<td><b>{html(median)}</b><span>{html(bracket.strip() + spread)}</span></td>")


def _plots(page: Page, found: Findings, cells: list[Cell]) -> None:
    st.plotly_chart(
        plots.memory_over_time(found, page.language), key="laboratory_memory", config=_PLOT
    )
    measured = [
        metric
        for metric in Metric
        if any(cell.summary is not None for cell in cells if cell.metric is metric)
    ]
    names = {metric_name(metric, page.language): metric for metric in measured}
    if not names:
        return
    chosen = st.selectbox(page.text("diagnostics.metric"), list(names), key="laboratory_metric")
    metric = names.get(chosen, measured[0])
    st.plotly_chart(
        plots.box_plot(found, metric, page.language), key="laboratory_box", config=_PLOT
    )


def _downloads(page: Page, kept: Shown) -> None:
    found, heard = kept.found, kept_listening(page, kept.folder)
    name = f"glm-tts-laboratory-{found.began_at:%Y%m%d-%H%M}"
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            lambda: report.to_csv(found),
            f"{name}.csv",
            "text/csv",
            key="laboratory_csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "JSON",
            lambda: report.to_json(found, heard),
            f"{name}.json",
            "application/json",
            key="laboratory_json",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            page.text("diagnostics.html_report"),
            lambda: "".join(report.to_html(found, page.language, heard)),
            f"{name}.html",
            "text/html",
            key="laboratory_html",
            icon=":material/download:",
            on_click="ignore",
        )
