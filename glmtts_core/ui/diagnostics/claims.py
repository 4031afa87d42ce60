"""The claims' tab: what is claimed, what this machine shows, and the verdict."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.byte_units import MIB
from glmtts_core.diagnostics.experiment import Experiment, Workload, claim_arms
from glmtts_core.diagnostics.labels import claims_source, shown_words
from glmtts_core.diagnostics.research.claims import Answer, ClaimVerdict
from glmtts_core.escaping import Html, html
from glmtts_core.ui.diagnostics import run
from glmtts_core.ui.diagnostics.experiment import choose, kept_listening, shown
from glmtts_core.ui.diagnostics.results import claim_answers
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.markdown import plain

_HEADROOM_BYTES: Final = 256 * MIB
_REPETITIONS: Final = 4
_LABELS: Final = {"repetitions": "diagnostics.repetitions", "lines": "diagnostics.lines"}
#: Repetitions that claim 10 asks for.
_TIMED: Final = 10
#: Batch lines that claim 4 asks for.
_LINES: Final = 50


def show(page: Page) -> None:
    """Draw the tab."""
    st.caption(plain(claims_source(page.language), limit=None))
    engine = page.session.engine
    arms = claim_arms(page.session.capabilities, _HEADROOM_BYTES)
    with st.container(border=True):
        st.html(html(page.text("diagnostics.claims_help", arms=len(arms), engine=engine)))
        with st.container(horizontal=True):
            repetitions = _number(page, "repetitions", 2, _REPETITIONS)
            lines = _number(page, "lines", 5, _LINES)
        experiment = Experiment(
            engine=engine,
            arms=arms,
            repetitions=repetitions,
            workload=Workload(timed=_TIMED, batch=lines),
        )
        label = page.markdown("diagnostics.check_claims")
        run.starting(page, experiment, label, key="claims_start")
    run.progress(page, key="claims_cancel")
    choose(page)
    kept = shown(page)
    if kept is not None and kept.found.experiment.engine != engine:
        # what another engine has shown says nothing of this one
        kept = None
    heard = None if kept is None else kept_listening(page, kept.folder)
    answers = claim_answers(None if kept is None else kept.found, heard)
    rows = "".join(_row(page, answer) for answer in answers)
    st.html(f'<div class="glm-claims">{rows}</div>')


def _number(page: Page, name: str, least: int, first: int) -> int:
    key = f"claims_{name}"
    label = page.text(_LABELS[name])
    chosen = st.number_input(label, least, 50, first, key=key, persist_state="session", width=220)
    return int(chosen)


def _row(page: Page, answer: Answer) -> Html:
    number = answer.claim.number
    verdict = page.text(f"claims.verdict.{answer.verdict.value}")
    figures = "".join(f"<li>{html(each)}</li>" for each in shown_words(answer, page.language))
    return Html(
        f"<div><div><b>{number:d}</b> {html(page.text(f'claims.claim.{number}'))}"
        f'<span class="glm-muted"> {html(answer.claim.figures)}</span></div>'
        f'<div><i class="glm-answer {html(_class(answer.verdict))}">{html(verdict)}</i> '
        f"{html(answer.reason.text(page.language))}<ul>{figures}</ul></div></div>"
    )


def _class(verdict: ClaimVerdict) -> str:
    return f"glm-{verdict.value.replace('_', '-')}"
