"""The tab that shows where every byte is: treemaps, allocator, and the process's parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import streamlit as st

from glmtts_core.diagnostics import process_memory
from glmtts_core.diagnostics.allocator_picture import AllocatorInspector
from glmtts_core.diagnostics.breakdown import PROCESS, MemoryPart, device_breakdown, host_breakdown
from glmtts_core.escaping import Html, html
from glmtts_core.ui.diagnostics import charts
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.quantities import size

_RECORDING: Final = "allocator_recording"
_SNAPSHOT: Final = "allocator_snapshot"
_CONFIG: Final = {"displayModeBar": False}


def show(page: Page) -> None:
    """Draw the tab."""
    studio = page.session.studio
    st.caption(page.text("diagnostics.memory_help"))
    st.button(page.text("diagnostics.look_again"), key="memory_again", icon=":material/refresh:")
    reading, kept = studio.monitor.sample_now(), studio.ledger.snapshot()
    for device in reading.devices:
        if (part := device_breakdown(reading, kept, device.index)) is not None:
            _treemap(page, part, f"treemap_gpu_{device.index}")
    whole = host_breakdown(reading, kept)
    ours = next(part for part in whole.children if part.name == PROCESS)
    _treemap(page, ours, "treemap_process")
    st.html(_share_html(page, whole, ours))
    _allocator(page, AllocatorInspector(studio.engines.main_device))
    _process(page)


def _treemap(page: Page, part: MemoryPart, key: str) -> None:
    st.markdown(f"**{page.message(part.name)} · {size(part.size_bytes)}**")
    st.plotly_chart(charts.treemap(part, page.language), key=key, config=_CONFIG)


def _share_html(page: Page, whole: MemoryPart, ours: MemoryPart) -> Html:
    parts = [whole, *(part for part in whole.children if part is not ours)]
    return _cards((part.name.text(page.language), size(part.size_bytes)) for part in parts)


def _allocator(page: Page, inspector: AllocatorInspector) -> None:
    picture = inspector.picture()
    if picture is None:
        return
    st.subheader(page.text("diagnostics.allocator"), anchor=False)
    figures = (
        ("reserved", size(picture.reserved_bytes)),
        ("allocated", size(picture.allocated_bytes)),
        ("free_inside", size(picture.free_bytes)),
        ("largest_free", size(picture.largest_free_bytes)),
        ("fragmentation", f"{picture.fragmentation:.0%}"),
    )
    st.html(_cards((page.text(f"diagnostics.allocator.{name}"), words) for name, words in figures))
    st.plotly_chart(charts.segments(picture, page.language), key="allocator", config=_CONFIG)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.toggle(
            page.text("diagnostics.record"),
            key=_RECORDING,
            on_change=_record,
            args=(inspector,),
            persist_state="session",
            help=page.text("diagnostics.record_help"),
        )
        st.download_button(
            page.text("diagnostics.snapshot"),
            lambda: inspector.full_snapshot() or b"",
            "memory_snapshot.pickle",
            key=_SNAPSHOT,
            icon=":material/download:",
            on_click="ignore",
            help=page.text("diagnostics.snapshot_help"),
        )


def _record(inspector: AllocatorInspector) -> None:
    inspector.record_history(on=bool(st.session_state[_RECORDING]))


def _process(page: Page) -> None:
    """Draw what our resident set consists of."""
    kinds, heap = process_memory.mapping_kinds(), process_memory.heap()
    st.subheader(page.text("diagnostics.resident"), anchor=False)
    if kinds is None and heap is None:
        st.html(f'<div class="glm-muted">{html(page.text("diagnostics.resident_untold"))}</div>')
        return
    figures: list[tuple[str, int]] = []
    if kinds is not None:
        figures += [
            ("anonymous", kinds.anonymous_bytes),
            ("file", kinds.file_bytes),
            ("private", kinds.private_bytes),
            ("shared", kinds.shared_bytes),
            ("swapped", kinds.swapped_bytes),
        ]
    if heap is not None:
        figures += [
            ("heap_used", heap.used_bytes),
            ("heap_free", heap.free_bytes),
            ("heap_mapped", heap.mapped_bytes),
        ]
    st.html(
        _cards((page.text(f"diagnostics.resident.{name}"), size(held)) for name, held in figures)
    )
    st.caption(page.text("diagnostics.resident_help"))


def _cards(figures: Iterable[tuple[str, str]]) -> Html:
    cells = [f"<div>{html(name)}<b>{html(words)}</b></div>" for name, words in figures]
    return Html(f'<div class="glm-cards">{"".join(cells)}</div>')
