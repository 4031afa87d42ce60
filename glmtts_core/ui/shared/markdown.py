"""Putting outside words into Streamlit's Markdown without their signs taking effect.

What Streamlit renders as Markdown (messages, labels, help) takes a constant, `Page.text` without
values, or `Markdown` made here; `tests/ui/test_markup.py` looks for the rest.
"""

from __future__ import annotations

import re
from typing import Final, NewType

from glmtts_core.catalogue import Language, text
from glmtts_core.errors import GLMTTSError
from glmtts_core.escaping import encodable
from glmtts_core.message import Message

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


def message_markdown(what: Message | GLMTTSError, language: Language) -> Markdown:
    """Return a message, or that of an error; its values take no effect."""
    message = what.message if isinstance(what, GLMTTSError) else what
    return sentence(message.key, language, **message.values(language))


def _value(value: object) -> object:
    return value if isinstance(value, int | float) else plain(str(value), limit=None)
