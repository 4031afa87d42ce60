"""Figures side by side, each with its name."""

from __future__ import annotations

from collections.abc import Iterable

from glmtts_core.escaping import Html, html
from glmtts_core.memory.inspector import Inspector
from glmtts_core.ui.page import Page


def cards(figures: Iterable[tuple[str, str]]) -> Html:
    """Return names and figures as cards."""
    cells = [f"<div>{html(name)}<b>{html(words)}</b></div>" for name, words in figures]
    return Html(f'<div class="glm-cards">{"".join(cells)}</div>')


def process_heading(page: Page, inspector: Inspector, *, apart: bool) -> Html:
    """Return which process is shown.

    Args:
        page: in whose language.
        inspector: looks into the process.
        apart: whether the engines have processes of their own.
    """
    if inspector.engine is not None:
        words = page.text("diagnostics.process.engine", engine=inspector.engine)
    else:
        words = page.text("diagnostics.process.pages" if apart else "diagnostics.process.program")
    return Html(f"<div><b>{html(words)}</b></div>")
