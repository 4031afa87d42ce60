"""The self-check: one button, a light for each part, and what to do where it is not green."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from glmtts_core.api.route_check import ask_app, ask_routes
from glmtts_core.diagnostics.self_check import TEXT, self_check
from glmtts_core.diagnostics.self_check_results import CheckResult, Light, SelfCheck, SelfCheckItem
from glmtts_core.engines.base import CancelToken
from glmtts_core.escaping import Html, html
from glmtts_core.ui.diagnostics.tasks import running, task_name, tasks
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.quantities import seconds

_KIND: Final = "self-check"
_COLOURS: Final = {Light.GREEN: "#2fa58f", Light.AMBER: "#e8a33d", Light.RED: "#c8453b"}


def show(page: Page) -> None:
    """Draw button, progress and lights."""
    st.subheader(page.text("diagnostics.self_check"), anchor=False)
    st.caption(page.text("diagnostics.self_check_help"))
    task = tasks(page).find(task_name(page, _KIND))
    st.button(
        page.text("diagnostics.self_check_start"),
        key="self_check_start",
        icon=":material/health_and_safety:",
        on_click=_start,
        args=(page,),
        disabled=task is not None and task.view().running,
    )
    if running(page, task, key="self_check_cancel") or task is None:
        return
    found = task.view().result
    if isinstance(found, SelfCheck):
        rows = "".join(_row(page, result) for result in found.results)
        st.html(f'<div class="glm-scroll"><table class="glm-table">{rows}</table></div>')


def _start(page: Page) -> None:
    studio = page.session.studio
    url = f"http://127.0.0.1:{st.get_option('server.port')}"

    def work(cancel: CancelToken, report: Callable[[float], None]) -> SelfCheck:
        done: list[CheckResult] = []

        def note(result: CheckResult) -> None:
            done.append(result)
            report(len(done) / len(SelfCheckItem))

        def routes() -> CheckResult:
            return ask_app(url, studio.settings) or ask_routes(studio)

        request = page.session.plain_request(TEXT)
        return self_check(studio, routes, request=request, on_result=note, cancel=cancel)

    tasks(page).start(task_name(page, _KIND), work)


def _row(page: Page, result: CheckResult) -> Html:
    light = page.text(f"diagnostics.light.{result.light.value}")
    colour = _COLOURS[result.light]
    return Html(
        f'<tr><th><i class="glm-light" style="background:{html(colour)}"></i>{html(light)}</th>'
        f"<td>{html(result.name(page.language))}</td>"
        f"<td>{html(result.message.text(page.language))}</td>"
        f"<td>{html(seconds(result.seconds))}</td></tr>"
    )
