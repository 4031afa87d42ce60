"""The tab that shows where every byte is: treemaps, allocators, and the processes' parts."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.diagnostics.breakdown import PROCESS, MemoryPart, device_breakdown, host_breakdown
from glmtts_core.escaping import Html, html
from glmtts_core.memory.inspector import Inspector, OwnInspector
from glmtts_core.memory.process_memory import mapping_kinds
from glmtts_core.ui.diagnostics import allocator, charts
from glmtts_core.ui.diagnostics.cards import cards, process_heading
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.quantities import size

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
    _inside(page)


def _treemap(page: Page, part: MemoryPart, key: str) -> None:
    st.markdown(f"**{page.message(part.name)} · {size(part.size_bytes)}**")
    st.plotly_chart(charts.treemap(part, page.language), key=key, config=_CONFIG)


def _share_html(page: Page, whole: MemoryPart, ours: MemoryPart) -> Html:
    parts = [whole, *(part for part in whole.children if part is not ours)]
    return cards((part.name.text(page.language), size(part.size_bytes)) for part in parts)


def _inside(page: Page) -> None:
    """Draw the allocators of the engines' processes, and what every process consists of."""
    engines = page.session.studio.engines
    apart = engines.processes is not None
    inspectors: list[Inspector] = list(engines.inspectors())
    for inspector in inspectors:
        allocator.show(page, inspector, apart=apart)
    st.subheader(page.text("diagnostics.resident"), anchor=False)
    if apart:
        inspectors.append(OwnInspector("cpu"))
    shown = [_resident(page, each, apart=apart) for each in inspectors]
    if any(shown):
        st.caption(page.text("diagnostics.resident_help"))
    else:
        untold = html(page.text("diagnostics.resident_untold"))
        st.html(f'<div class="glm-muted">{untold}</div>')


def _resident(page: Page, inspector: Inspector, *, apart: bool) -> bool:
    """Draw what a process's resident set consists of; False where nothing of it is known."""
    kinds, heap = mapping_kinds(inspector.pid), inspector.heap()
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
    if figures:
        named = ((page.text(f"diagnostics.resident.{name}"), size(held)) for name, held in figures)
        st.html(process_heading(page, inspector, apart=apart))
        st.html(cards(named))
    return bool(figures)
