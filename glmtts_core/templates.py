"""HTML pages from templates (``*.html.jinja``); whatever values they show is escaped.

The templates lie beside the modules that fill them in and share the frame ``base.html.jinja``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from glmtts_core.catalogue import Language, text
from glmtts_core.escaping import encodable

#: A part of a page has at least so many characters.
_PART_CHARACTERS: Final = 2**16


def render(template: str, language: Language, **values: object) -> Iterator[str]:
    """Yield the page in parts, so that a long one is never held in memory as a whole.

    Args:
        template: path inside this package, such as ``batch/report.html.jinja``.
        language: of the page; a template's ``text(key)`` gives the catalogue's sentences in it.
        values: the names that the template uses.

    Raises:
        UndefinedError: the template uses a name without a value (a bug).
    """
    page = environment().get_template(template)
    waiting: list[str] = []
    characters = 0
    for piece in page.generate(language=language, text=partial(_text, language), **values):
        waiting.append(piece)
        characters += len(piece)
        if characters >= _PART_CHARACTERS:
            yield "".join(waiting)
            waiting, characters = [], 0
    yield "".join(waiting)


def _text(language: Language, key: str, **details: object) -> str:
    return text(key, language, **details)


@cache
def environment() -> Environment:
    """Return the one environment of all templates."""
    made = Environment(
        loader=PackageLoader("glmtts_core", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    # the keys of a chart in the order in which they were written
    made.policies["json.dumps_kwargs"] = {}
    made.globals["plotly_script"] = _plotly_script
    return made


def _finalize(value: object) -> object:
    """Return a value as it is shown, before it is escaped."""
    return encodable(value) if type(value) is str else value


def _plotly_script() -> Markup:
    """Return Plotly itself: the only value that a page shows unescaped."""
    return Markup(get_plotlyjs())
