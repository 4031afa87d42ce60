"""Putting outside words into HTML, scripts and chart texts without their signs taking effect."""

from __future__ import annotations

import json
from html import escape
from typing import Any, NewType
from urllib.parse import quote

#: Finished HTML: every outside word in it was disarmed. Made here and from f-strings of such parts.
Html = NewType("Html", str)


def encodable(words: str) -> str:
    """Return ``words`` with a question mark for half a surrogate pair, which UTF-8 cannot hold."""
    return words.encode("utf-8", "replace").decode()


def html(words: object) -> Html:
    """Return ``words`` as text of an HTML page or as a quoted attribute."""
    return Html(escape(encodable(str(words))))


def html_address(*names: str) -> Html:
    """Return the relative address of a file in folders as a quoted attribute."""
    return html("/".join(quote(encodable(name), safe="") for name in names))


def script_json(value: Any) -> Html:
    """Return ``value`` as JSON that can neither end nor bend the ``<script>`` that it stands in."""
    return Html(json.dumps(value).replace("<", "\\u003c"))


def chart_text(words: str) -> str:
    """Return ``words`` for Plotly, which takes ``<b>``, ``<a href>`` and entities for HTML."""
    return escape(encodable(words), quote=False)
