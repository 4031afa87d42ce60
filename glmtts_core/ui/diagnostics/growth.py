"""The growth tab: what this session's syntheses left behind, and the hunt for what grew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from glmtts_core.diagnostics.experiment import FIXED_SEED, shipped_texts
from glmtts_core.diagnostics.growth import growth
from glmtts_core.diagnostics.research.leak_hunt import WARM_UP, Grown, LeakHunt, hunt
from glmtts_core.engines.base import CancelToken
from glmtts_core.escaping import html
from glmtts_core.ui.diagnostics import charts
from glmtts_core.ui.diagnostics.tasks import running, task_name, tasks
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.markdown import plain
from glmtts_core.ui.shared.quantities import change, size

_KIND: Final = "leak-hunt"
#: Things that grew which are shown, the largest first.
_ROWS: Final = 12
_CONFIG: Final = {"displayModeBar": False}


def show(page: Page) -> None:
    """Draw the tab."""
    st.caption(page.text("diagnostics.growth_help"))
    records = page.session.history.list().records
    after_bytes = [record.memory_cost.after_bytes for record in reversed(records)]
    st.markdown(f"**{plain(growth(after_bytes).text(page.language), limit=None)}**")
    if after_bytes:
        st.plotly_chart(charts.growth(after_bytes, page.language), key="growth", config=_CONFIG)
    st.subheader(page.text("diagnostics.hunt"), anchor=False)
    st.caption(page.markdown("diagnostics.hunt_help", warm_up=WARM_UP))
    _hunt(page)


def _hunt(page: Page) -> None:
    task = tasks(page).find(task_name(page, _KIND))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = st.number_input(
            page.text("diagnostics.hunt_count"), 8, 100, 10, key="hunt_count", width=180
        )
        st.button(
            page.text("diagnostics.hunt_start"),
            key="hunt_start",
            icon=":material/search:",
            on_click=_start,
            args=(page, int(count)),
            disabled=task is not None and task.view().running,
        )
    if running(page, task, key="hunt_cancel") or task is None:
        return
    found = task.view().result
    if isinstance(found, LeakHunt):
        _found(page, found)


def _start(page: Page, count: int) -> None:
    session = page.session

    def work(cancel: CancelToken, report: Callable[[float], None]) -> LeakHunt:
        request = session.plain_request(shipped_texts().timed, FIXED_SEED)

        def spoken(number: int) -> None:
            report(number / (count + WARM_UP))

        return hunt(session, request, count, on_spoken=spoken, cancel=cancel)

    tasks(page).start(task_name(page, _KIND), work)


def _found(page: Page, found: LeakHunt) -> None:
    st.markdown(f"**{plain(found.growth.text(page.language), limit=None)}**")
    st.plotly_chart(charts.growth(found.after_bytes, page.language), key="hunt", config=_CONFIG)
    if found.grown:
        st.dataframe([_row(page, each) for each in found.grown[:_ROWS]], hide_index=True)
    words = page.text("diagnostics.hunt_unnamed", size=size(found.unnamed_bytes))
    st.html(f'<div class="glm-muted">{html(words)}</div>')


def _row(page: Page, each: Grown) -> dict[str, str]:
    return {
        page.text("diagnostics.hunt_where"): page.text(f"diagnostics.holder.{each.holder.value}"),
        page.text("diagnostics.hunt_what"): each.name,
        page.text("diagnostics.hunt_more"): f"+{each.count}",
        page.text("diagnostics.hunt_size"): (
            "–" if each.size_bytes is None else change(each.size_bytes)
        ),
    }
