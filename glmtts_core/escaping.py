"""Putting outside words into HTML and chart texts so that no sign of theirs takes effect."""

from __future__ import annotations

from html import escape
from typing import NewType

#: Finished HTML: every outside word in it was disarmed. Made here and from f-strings of such parts.
Html = NewType("Html", str)


def encodable(words: str) -> str:
    """Return ``words`` with a question mark for half a surrogate pair, which UTF-8 cannot hold."""
    return words.encode("utf-8", "replace").decode()


def html(words: object) -> Html:
    """Return ``words`` as text of an HTML page or as a quoted attribute."""
    return Html(escape(encodable(str(words))))


def chart_text(words: str) -> str:
    """Return ``words`` for Plotly, which takes ``<b>``, ``<a href>`` and entities for HTML."""
    return escape(encodable(words), quote=False)
