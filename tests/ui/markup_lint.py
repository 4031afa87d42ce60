"""Finds outside words on their way into Streamlit's Markdown or into HTML, in source text.

A place that renders Markdown takes what is provably ours: constants, the catalogue's sentences
without values, figures, and what a function annotated ``-> Markdown`` returns (mypy holds it to
that). The same for HTML and ``-> Html``. What the reader of the code would have to trust is told.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.ui.markup_origins import Origins, Source, returns

#: Functions of Streamlit whose first argument is Markdown.
_FIRST: Final = """
    audio_input badge button caption camera_input chat_input checkbox color_picker
    date_input download_button error expander file_uploader form_submit_button header info
    link_button markdown multiselect number_input pills popover radio segmented_control
    select_slider selectbox slider spinner status subheader success tabs text_area
    text_input time_input title toast toggle warning dialog
"""
#: Functions of Streamlit, and which of their positional arguments are Markdown.
PLACES: Final[Mapping[str, tuple[int, ...]]] = {
    **dict.fromkeys(_FIRST.split(), (0,)),
    "progress": (1,),
    "metric": (0, 1, 2),
    "page_link": (),
}
#: Keywords that are Markdown wherever they stand.
_KEYWORDS: Final = ("help", "label", "body", "captions")
#: Functions that render each option as Markdown; a select box does not.
_OPTIONS: Final = ("radio", "pills", "segmented_control")
#: Functions that render whatever they get.
_NEVER: Final = ("write", "write_stream", "latex")
#: Other things' methods with names of Streamlit's functions.
_NOT_STREAMLIT: Final = ("page", "self", "sys", "_log")
_KINDS: Final = ("Markdown", "Html")


def read(path: Path, root: Path) -> Source:
    """Return the parsed file."""
    return Source(str(path.relative_to(root)), ast.parse(path.read_text(encoding="utf-8")))


def raw_places(sources: list[Source]) -> list[str]:
    """Return ``file:line: what`` for all that cannot be shown to be ours or disarmed."""
    known = returns(sources)
    return [
        f"{source.path}:{line}: {what}"
        for source in sources
        for line, what in sorted(_Places(source, Origins(source, known)).faults())
    ]


@dataclass
class _Places:
    source: Source
    origins: Origins

    # -- where Markdown and HTML are shown -----------------------------------------------------

    def faults(self) -> Iterator[tuple[int, str]]:
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("streamlit"):
                for each in node.names:
                    if each.name in (*PLACES, *_NEVER, "html"):
                        yield node.lineno, f"import st, not {each.name} alone"
            elif isinstance(node, ast.Attribute) and self._is_place_as_value(node):
                yield node.lineno, f"{ast.unparse(node)} under another name"
            elif isinstance(node, ast.Call):
                yield from self._call(node)

    def _is_place_as_value(self, node: ast.Attribute) -> bool:
        if not (isinstance(node.value, ast.Name) and node.value.id == "st"):
            return False
        parent = self.origins.parents[node]
        called = isinstance(parent, ast.Call) and parent.func is node
        return node.attr in (*PLACES, *_NEVER, "html") and not called

    def _call(self, node: ast.Call) -> Iterator[tuple[int, str]]:
        if isinstance(node.func, ast.Name) and node.func.id in _KINDS:
            yield from self._check(node.args, node.func.id, node.func.id)
        if ast.unparse(node).startswith("getattr(st,"):
            yield node.lineno, "getattr(st, …)"
        if not isinstance(node.func, ast.Attribute) or self._of_other_things(node.func):
            return
        name = node.func.attr
        shown = f"st.{name}"
        keywords = {each.arg: each.value for each in node.keywords}
        if name in _NEVER:
            yield node.lineno, f"{shown} renders whatever it gets"
        elif name == "html":
            yield from self._check([*node.args, *self._named(keywords, ("body",))], "Html", shown)
        elif name in PLACES:
            given = [node.args[at] for at in PLACES[name] if at < len(node.args)]
            given += self._named(keywords, (*_KEYWORDS, "text", "value", "delta"), name)
            if name in _OPTIONS:
                options = node.args[1:2] + self._named(keywords, ("options",))
                given += self._named(keywords, ("format_func",)) or options
            yield from self._check(given, "Markdown", shown)
        else:
            yield from self._check(self._named(keywords, ("help",)), "Markdown", shown)

    @staticmethod
    def _named(
        keywords: Mapping[str | None, ast.expr], names: tuple[str, ...], place: str = ""
    ) -> list[ast.expr]:
        # a field's value is what is typed in it; a metric's and a progress bar's words are shown
        typed = () if place in ("metric", "progress", "spinner") else ("text", "value", "delta")
        if None in keywords:
            return [keywords[None]]
        return [keywords[each] for each in names if each in keywords and each not in typed]

    def _of_other_things(self, function: ast.Attribute) -> bool:
        root: ast.expr = function.value
        while isinstance(root, ast.Attribute | ast.Subscript | ast.Call):
            root = root.func if isinstance(root, ast.Call) else root.value
        name = root.id if isinstance(root, ast.Name) else ""
        if function.attr == "title" and name != "st":
            return True
        return name in _NOT_STREAMLIT or name in self.origins.imported

    def _check(self, given: list[ast.expr], kind: str, place: str) -> Iterator[tuple[int, str]]:
        for each in given:
            if not self.origins.ours(each, kind):
                yield each.lineno, f"{place} takes raw words: {ast.unparse(each)}"
