"""English text as it is read aloud, in the way that the model was trained on.

Each rule stands where the reference has it, also where its outcome is odd.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from glmtts_core.engines.glmtts.text.marks import BRACKETS, without
from glmtts_core.engines.glmtts.text.wetext_rules import apply_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    import inflect

_TIMES: Final = re.compile(r"(?<=[0-9a-zA-Z])\*(?=[0-9a-zA-Z])")
_DIGITS: Final = re.compile(r"[0-9]+")
_MARKS: Final = ".,!?':;"
_UNREAD: Final = re.compile(rf"[^\w\s{_MARKS}]")
_REPEATED: Final = re.compile(rf"([{_MARKS}])\1+")
_SPACED: Final = re.compile(rf"\s*([{_MARKS}])\s*")
#: Quotation marks that are left alone: one of them stands for the apostrophe.
_SINGLE_QUOTES: Final = "‘’"


def normalize_en(text: str) -> str:
    """Return English ``text`` with numbers, dates and units as words, in lower case."""
    text = apply_rules(_rules(), text.replace("'", "’"))
    text = without(text, without(BRACKETS, _SINGLE_QUOTES))
    text = without(_TIMES.sub(" multiply ", text), "*")
    text = text.replace("—", " ").replace("’", "'")
    text = _DIGITS.sub(_spoken_number, text)
    text = _UNREAD.sub("", re.sub(r"\s+", " ", text)).lower()
    return _SPACED.sub(r"\1 ", _REPEATED.sub(r"\1", text)).strip()


def _spoken_number(found: re.Match[str]) -> str:
    from inflect import NumOutOfRangeError  # heavy (2 s), and hardly ever needed

    try:
        return str(_inflections().number_to_words(found[0]))
    except NumOutOfRangeError:
        # beyond the names that there are: digit by digit
        return str(_inflections().number_to_words(found[0], group=1))


@cache
def _inflections() -> inflect.engine:
    from inflect import engine

    return engine()


@cache
def _rules() -> Callable[[str], str]:
    from wetext import Normalizer  # loads every language's rules: seconds, tens of megabytes

    return Normalizer(lang="en").normalize  # type: ignore[no-any-return]
