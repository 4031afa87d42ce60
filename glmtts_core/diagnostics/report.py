"""The laboratory's findings as files: CSV, JSON, and one HTML page that needs no network."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from glmtts_core.catalogue import Language, text
from glmtts_core.diagnostics import plots
from glmtts_core.diagnostics.findings import Cell, Findings, table
from glmtts_core.diagnostics.labels import (
    arm_name,
    claims_source,
    conclusions,
    faults,
    listening_words,
    metric_name,
    shown_words,
    summary_words,
)
from glmtts_core.diagnostics.metrics import Metric
from glmtts_core.diagnostics.research.claim_checks import check_claims
from glmtts_core.diagnostics.research.claims import Answer
from glmtts_core.diagnostics.research.listening import Listening
from glmtts_core.templates import render


def to_json(findings: Findings, listening: Listening | None = None) -> str:
    """Return experiment, trials, table, listening and the claims' answers as JSON."""
    cells = [
        {
            "arm": cell.arm.id,
            "metric": cell.metric.value,
            "unit": cell.metric.unit,
            "summary": None if cell.summary is None else cell.summary.to_dict(),
            "conclusion": None if cell.against_base is None else cell.against_base.conclusion.value,
        }
        for cell in table(findings)
    ]
    whole = {
        **findings.model_dump(mode="json"),
        "table": cells,
        "listening": None if listening is None else listening.model_dump(mode="json"),
        "claims": [_claim(answer) for answer in check_claims(findings, listening)],
    }
    return json.dumps(whole, ensure_ascii=False, indent=1)


def _claim(answer: Answer) -> dict[str, Any]:
    return {
        "number": answer.claim.number,
        "verdict": answer.verdict.value,
        "reason": answer.reason.text("en"),
        "shown": {each.label: each.summary.to_dict() for each in answer.shown},
    }


def to_csv(findings: Findings) -> str:
    """Return one row a synthesis, for other programs to read."""
    buffer = io.StringIO()
    names = (
        "part", "index", "characters", "sample_rate_hz", "seconds", "audio_s", "before_bytes",
        "peak_bytes", "after_bytes", "opinion", "out_of_memory", "error",
    )  # fmt: skip
    writer = csv.writer(buffer)
    writer.writerow(["arm", "repetition", *names, "alarms"])
    for trial in findings.trials:
        for spoken in trial.spoken:
            values = spoken.model_dump(mode="json")
            alarms = "" if spoken.alarms is None else " ".join(spoken.alarms)
            row = [trial.arm_id, trial.repetition, *(values[name] for name in names), alarms]
            writer.writerow(row)
    return buffer.getvalue()


def to_html(
    findings: Findings, language: Language, listening: Listening | None = None
) -> Iterator[str]:
    """Yield the whole report in parts: one page with Plotly inside it."""
    cells = table(findings)
    measured = {cell.metric for cell in cells if cell.summary is not None}
    return render(
        "diagnostics/report.html.jinja",
        language,
        findings=findings,
        sentences=conclusions(findings, cells, language) + faults(findings, language),
        arms=[arm_name(arm, language) for arm in findings.experiment.arms],
        metrics=_metrics(cells, language),
        plots=[
            plots.memory_over_time(findings, language),
            *(plots.box_plot(findings, each, language) for each in Metric if each in measured),
        ],
        claims_source=claims_source(language),
        answers=[_answer_cells(each, language) for each in check_claims(findings, listening)],
        listening=None if listening is None else listening_words(listening, findings, language),
    )


def _metrics(cells: Sequence[Cell], language: Language) -> dict[str, list[str]]:
    """Return the table's rows: a metric's name and its summary for each arm."""
    rows: dict[str, list[str]] = {}
    for cell in cells:
        summary = summary_words(cell.summary, cell.metric.unit)
        rows.setdefault(metric_name(cell.metric, language), []).append(summary)
    return rows


def _answer_cells(answer: Answer, language: Language) -> tuple[str, ...]:
    return (
        str(answer.claim.number),
        text(f"claims.claim.{answer.claim.number}", language),
        answer.claim.figures,
        text(f"claims.verdict.{answer.verdict.value}", language),
        answer.reason.text(language),
        "; ".join(shown_words(answer, language)),
    )
