"""The laboratory's findings to take away: CSV, JSON, and one HTML file that needs no network."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Final

import plotly
import plotly.offline

from glmtts_core.catalogue import Language, text
from glmtts_core.diagnostics import plots
from glmtts_core.diagnostics.findings import Cell, Findings, table
from glmtts_core.diagnostics.labels import (
    arm_name,
    conclusions,
    faults,
    metric_name,
    summary_words,
)
from glmtts_core.diagnostics.research.claim_checks import check_claims
from glmtts_core.diagnostics.research.claims import Answer, claim_table
from glmtts_core.diagnostics.research.listening import Listening, outcome
from glmtts_core.diagnostics.trial import Metric
from glmtts_core.markup import Html, html, script_json

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #1b2730; background: #fff; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .88rem; }
th, td { border-bottom: 1px solid #d7dee4; padding: .3rem .7rem; text-align: left;
         vertical-align: top; }
h2 { margin-top: 2.2rem; font-size: 1.2rem; } .scroll { overflow-x: auto; }
"""


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


def shown_words(answer: Answer, language: Language) -> list[str]:
    """Return the figures that an answer rests on, one in a sentence."""
    return [
        f"{text(f'claims.shown.{each.label}', language)}: {summary_words(each.summary, each.unit)}"
        for each in answer.shown
    ]


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


def to_html(findings: Findings, language: Language, listening: Listening | None = None) -> Html:
    """Return the whole report as one page with Plotly inside it."""

    def say(key: str, **details: object) -> Html:
        return html(text(key, language, **details))

    cells = table(findings)
    sentences = "".join(
        f"<li>{html(each)}</li>"
        for each in (*conclusions(findings, cells, language), *faults(findings, language))
    )
    machine = "".join(
        f"<tr><th>{html(name)}</th><td>{html(value)}</td></tr>"
        for name, value in findings.machine.items()
    )
    figures = [plots.memory_over_time(findings, language)]
    figures += [plots.box_plot(findings, metric, language) for metric in _plotted(cells)]
    parts = [
        f"<h1>{say('report.title')}</h1>",
        f"<p>{html(findings.experiment.engine)} · {findings.began_at:%Y-%m-%d %H:%M}</p>",
        f"<h2>{say('report.conclusions')}</h2><ul>{sentences}</ul>",
        f"<h2>{say('report.table')}</h2><p>{say('laboratory.table_help')}</p>",
        _table_html(findings, cells, language),
        f"<h2>{say('report.plots')}</h2>",
        *(_plot_html(number, plot) for number, plot in enumerate(figures)),
        f"<h2>{say('report.claims')}</h2><p>{html(claims_source(language))}</p>",
        _claims_html(check_claims(findings, listening), language),
        _listening_html(listening, findings, language),
        f"<h2>{say('report.machine')}</h2><table>{machine}</table>",
    ]
    title = say("report.title")
    return Html(
        f'<!doctype html><html lang="{html(language)}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{_STYLE}</style><script>{plotly.offline.get_plotlyjs()}</script></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _plotted(cells: list[Cell]) -> list[Metric]:
    measured = {cell.metric for cell in cells if cell.summary is not None}
    return [metric for metric in Metric if metric in measured]


def claims_source(language: Language) -> str:
    """Return where the claims come from, in one sentence."""
    claims = claim_table()
    return text(
        "claims.source",
        language,
        hardware=claims.hardware,
        reports=claims.reports,
        made_in=claims.made_in,
    )


def _table_html(findings: Findings, cells: list[Cell], language: Language) -> Html:
    arms = findings.experiment.arms
    head = "".join(f"<th>{html(arm_name(arm, language))}</th>" for arm in arms)
    rows = []
    for metric in Metric:
        values = [cell for cell in cells if cell.metric is metric]
        row = "".join(
            f"<td>{html(summary_words(each.summary, metric.unit))}</td>" for each in values
        )
        rows.append(f"<tr><th>{html(metric_name(metric, language))}</th>{row}</tr>")
    return Html(f'<div class="scroll"><table><tr><th></th>{head}</tr>{"".join(rows)}</table></div>')


def _claims_html(answers: list[Answer], language: Language) -> Html:
    rows = [
        "<tr>"
        + "".join(
            f"<td>{html(each)}</td>"
            for each in (
                str(answer.claim.number),
                text(f"claims.claim.{answer.claim.number}", language),
                answer.claim.figures,
                text(f"claims.verdict.{answer.verdict.value}", language),
                answer.reason.text(language),
                "; ".join(shown_words(answer, language)),
            )
        )
        + "</tr>"
        for answer in answers
    ]
    return Html(f"<table>{''.join(rows)}</table>")


def _listening_html(listening: Listening | None, findings: Findings, language: Language) -> Html:
    if listening is None:
        return Html("")
    return Html(
        f"<h2>{html(text('listening.title', language))}</h2>"
        f"<p>{html(listening_words(listening, findings, language))}</p>"
    )


def listening_words(listening: Listening, findings: Findings, language: Language) -> str:
    """Return the outcome of a blind test in one sentence."""
    names = {arm.id: arm_name(arm, language) for arm in findings.experiment.arms}
    found = outcome(listening)
    details = {
        "arm": names.get(found.arm, found.arm),
        "other": names.get(found.other_arm, found.other_arm),
        "preferred": found.preferred,
        "other_preferred": found.other_preferred,
        "same": found.same,
    }
    if found.p_value is None:
        return text("listening.outcome_same", language, **details)
    words = text("listening.outcome", language, **details, p=f"{found.p_value:.3g}")
    says = "listening.differs" if found.p_value < 0.05 else "listening.no_difference"
    words += text(says, language)
    if found.mean_rating is not None and found.other_mean_rating is not None:
        ratings = {
            "mean": f"{found.mean_rating:.1f}",
            "other_mean": f"{found.other_mean_rating:.1f}",
        }
        words += text("listening.ratings", language, **ratings)
    return words


def _plot_html(number: int, figure: plots.Figure) -> Html:
    name, plot = script_json(f"plot{number}"), script_json(figure)
    script = (
        f"const f{number:d} = {plot}; Plotly.newPlot({name}, f{number:d}.data, f{number:d}.layout);"
    )
    return Html(f'<div id="plot{number:d}"></div><script>{{{script}}}</script>')
