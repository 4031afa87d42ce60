"""Putting outside words into Streamlit's Markdown without their signs taking effect.

What Streamlit renders as Markdown (messages, labels, help) takes a constant, `Page.text` without
values, or `Markdown` made here; `tests/ui/test_markup.py` looks for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NewType, Protocol

from glmtts_core.catalogue import Language, text
from glmtts_core.markup import encodable

#: Finished Markdown: every outside word in it was disarmed.
Markdown = NewType("Markdown", str)

#: A number that would begin a list.
_ITEM: Final = re.compile(r"^(\d+)(?=[.)](\s|$))")
#: What takes effect; inside a word "_" does not, and lists and headings only where a line begins.
_SIGNS: Final = re.compile(
    r"""
      [\\`*{}\[\]\#|<>$~&]
    | _ (?! [^\W_] ) | (?<! [^\W_] ) _
    | : (?! [\s\d] )
    | ^ [-+=]
    """,
    re.VERBOSE,
)
#: Breaks what a backslash does not: Streamlit looks for these in the text that is already parsed.
_INVISIBLE: Final = "\u200b"
_FOUND_IN_TEXT: Final = re.compile(
    r"""
      (?i: https? (?= :// ) | \b www (?= \. ) )        # addresses
    | (?<= [-.\w+] ) (?= @ )                           # e-mail addresses
    | : (?= material/ | [-+\w]+ : )                    # icons, emoji, Streamlit's logo
    | (?<! \S ) (?: < (?= -> ) | [-<>~] (?= [-=>] ) )  # arrows, dashes, comparisons
    """,
    re.VERBOSE,
)


class Told(Protocol):
    """An error, a problem, a reason: a sentence of the catalogue with its values."""

    @property
    def key(self) -> str:
        """The sentence's key in the catalogue."""

    @property
    def details(self) -> Mapping[str, object]:
        """Values for its placeholders."""

    def text(self, language: Language) -> str:
        """Return the sentence in ``language``."""


def plain(words: str, limit: int | None = 80) -> Markdown:
    """Return ``words`` in one line of at most ``limit`` characters, Markdown signs disarmed."""
    line = " ".join(encodable(words).split())
    if limit is not None and len(line) > limit:
        line = f"{line[: limit - 1]}…"
    line = _FOUND_IN_TEXT.sub(lambda found: found[0] + _INVISIBLE, line)
    return Markdown(_ITEM.sub(r"\1\\", _SIGNS.sub(r"\\\g<0>", line)))


def sentence(key: str, language: Language, /, **details: object) -> Markdown:
    """Return a sentence of the catalogue with its own Markdown and none of its values'."""
    return Markdown(text(key, language, **{name: _value(each) for name, each in details.items()}))


def told(what: Told, language: Language) -> Markdown:
    """Return what an error or a problem says; its values take no effect."""
    try:
        return sentence(what.key, language, **what.details)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError):
        # read from the disk, where another version may have put it: it says so itself
        return plain(what.text(language), limit=None)


def _value(value: object) -> object:
    return value if isinstance(value, int | float) else plain(str(value), limit=None)
