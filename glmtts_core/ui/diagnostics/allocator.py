"""PyTorch's allocator in a process: its figures, its segments, and its history."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.memory.inspector import Inspector
from glmtts_core.ui.diagnostics import charts
from glmtts_core.ui.diagnostics.cards import cards, process_heading
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.quantities import size

_CONFIG: Final = {"displayModeBar": False}


def show(page: Page, inspector: Inspector, *, apart: bool) -> None:
    """Draw the allocator of a process; nothing where the process has none.

    Args:
        page: where to draw.
        inspector: looks into the process.
        apart: whether the engines have processes of their own.
    """
    picture = inspector.picture()
    if picture is None:
        return
    st.subheader(page.text("diagnostics.allocator"), anchor=False)
    st.html(process_heading(page, inspector, apart=apart))
    figures = (
        ("reserved", size(picture.reserved_bytes)),
        ("allocated", size(picture.allocated_bytes)),
        ("free_inside", size(picture.free_bytes)),
        ("largest_free", size(picture.largest_free_bytes)),
        ("fragmentation", f"{picture.fragmentation:.0%}"),
    )
    st.html(cards((page.text(f"diagnostics.allocator.{name}"), words) for name, words in figures))
    key = f"allocator_{inspector.pid}"
    st.plotly_chart(charts.segments(picture, page.language), key=key, config=_CONFIG)
    _history(page, inspector)


def _history(page: Page, inspector: Inspector) -> None:
    """Draw the switch that records the allocator's history, and the download of it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        # the next process of an engine begins without recording
        recording = f"allocator_recording_{inspector.pid}"
        st.toggle(
            page.text("diagnostics.record"),
            key=recording,
            on_change=_record,
            args=(inspector, recording),
            persist_state="session",
            help=page.text("diagnostics.record_help"),
        )
        st.download_button(
            page.text("diagnostics.snapshot"),
            lambda: inspector.full_snapshot() or b"",
            "memory_snapshot.pickle",
            key=f"allocator_snapshot_{inspector.pid}",
            icon=":material/download:",
            on_click="ignore",
            help=page.text("diagnostics.snapshot_help"),
        )


def _record(inspector: Inspector, key: str) -> None:
    inspector.record_history(on=bool(st.session_state[key]))
