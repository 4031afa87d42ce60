"""No words from outside reach Streamlit's Markdown, or HTML of the pages, as they came.

Reports are made from templates that escape every value: see ``tests/test_templates.py``.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache

from tests.many_cases import assert_none
from tests.ui.markup_lint import raw_places, read
from tests.ui.markup_origins import Source
from tests.ui.visitor import ROOT

_SOURCES = (
    *sorted((ROOT / "glmtts_core" / "ui").rglob("*.py")),
    *sorted((ROOT / "pages").glob("*.py")),
    ROOT / "streamlit_app.py",
)
#: They make what the others use.
_MAKERS = ROOT / "glmtts_core" / "escaping.py"


@cache
def _sources() -> list[Source]:
    return [read(path, ROOT) for path in (*_SOURCES, _MAKERS)]


def test_every_place_that_renders_gets_words_of_ours_or_disarmed_ones():
    makers = ("glmtts_core/escaping.py", "glmtts_core/ui/shared/markdown.py")
    assert [each for each in raw_places(_sources()) if not each.startswith(makers)] == []


RAW = (
    "st.error(error.text(page.language))",
    "st.warning(str(error))",
    "st.markdown(f'**{run.name}**')",
    "st.markdown('**' + run.name + '**')",
    "st.markdown('**%s**' % run.name)",
    "st.markdown('**{}**'.format(run.name))",
    "st.markdown(' · '.join(['a', run.name]))",
    "st.caption(page.text('batch.amending', name=run.name, id='x'))",
    "st.caption(page.text('batch.amending', **details))",
    "st.button('Go', help=run.name)",
    "st.button(label=run.name)",
    "column.selectbox(run.name, ['a'])",
    "columns[0].number_input(run.name, 1, 2)",
    "st.tabs(['a', run.name])",
    "st.progress(0.5, run.name)",
    "st.progress(0.5, text=run.name)",
    "st.metric('a', run.name)",
    "st.metric('a', value=run.name)",
    "st.toast(run.name)",
    "st.expander(run.name)",
    "st.radio('a', names)",
    "st.pills('a', ['x'], format_func=str)",
    "st.segmented_control('a', options=names)",
    "st.column_config.TextColumn('a', help=run.name)",
    "st.write('a')",
    "st.button(**options)",
    "(st.error if bad else st.info)(page.message(error))",
    "draw = st.error",
    "getattr(st, 'error')(run.name)",
    "words = plain(run.name)\nwords += run.name\nst.caption(words)",
    "words = run.name if bad else 'none'\nst.caption(words)",
    "for name in names:\n    st.caption(name)",
    "parts = ['a']\nparts.append(run.name)\nst.caption(' '.join(parts))",
    "def draw(label: str) -> None:\n    st.button(label)",
    "st.html(f'<b>{run.name}</b>')",
    "st.html(page.text('batch.policy_lines'))",
    "st.html('<b>' + plain(run.name) + '</b>')",
    "Markdown(run.name)",
    "Html(f'<b>{run.name}</b>')",
    "from streamlit import error",
)
OURS = (
    "st.error(page.message(error))",
    "st.markdown(f'**{plain(run.name)}** {count:,} {size(held)} {when:%Y-%m-%d}')",
    "st.caption(page.markdown('batch.amending', name=run.name, id='x'))",
    "st.caption(page.text('batch.policy_lines'))",
    "st.selectbox('a', names, placeholder=run.name)",
    "st.text_area('a', value=run.name)",
    "st.text(run.name)",
    "st.code(run.name)",
    "st.radio('a', names, format_func=plain)",
    "words = plain(run.name)\nwords += ' b'\nst.caption(words)",
    "parts = ['a']\nparts.append(plain(run.name))\nst.caption(' '.join(parts))",
    "def draw(label: Markdown) -> None:\n    st.button(label)",
    "st.html(f'<b>{html(run.name)}</b>')",
    "cells = ''.join(f'<li>{html(name)}</li>' for name in names)\nst.html(f'<ul>{cells}</ul>')",
    "page.markdown('x', name=run.name)",
    "_log.error(run.name)",
)
_IMPORTS = (
    "import streamlit as st\n"
    "from glmtts_core.escaping import Html, html\n"
    "from glmtts_core.ui.shared.markdown import Markdown, plain\n"
    "from glmtts_core.ui.shared.quantities import size\n"
)


def _faults(snippets: Sequence[str]) -> dict[str, list[str]]:
    """Return the faults of each snippet; looking through the program's files takes the time."""
    names = {f"snippet-{number}.py": snippet for number, snippet in enumerate(snippets)}
    sources = [Source(name, ast.parse(_IMPORTS + snippet)) for name, snippet in names.items()]
    found = raw_places([*_sources(), *sources])
    return {
        snippet: [each.removeprefix(f"{name}:") for each in found if each.startswith(f"{name}:")]
        for name, snippet in names.items()
    }


def test_raw_words_are_found_with_their_line():
    lines = {snippet: len((_IMPORTS + snippet).splitlines()) for snippet in RAW}
    assert_none(
        f"not found in line {lines[snippet]}, but {faults}: {snippet}"
        for snippet, faults in _faults(RAW).items()
        if not any(each.startswith(f"{lines[snippet]}: ") for each in faults)
    )


def test_words_of_ours_and_disarmed_ones_are_let_through():
    found = _faults(OURS)
    assert_none(f"{faults} in {snippet}" for snippet, faults in found.items() if faults)
