"""Numbers, dates, units and currency as words, in Mandarin or English, through wetext."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from glmtts_core.catalogue import Language
from glmtts_core.text.script import LATIN

if TYPE_CHECKING:
    from collections.abc import Callable

#: A comma between thousands, which the English normaliser takes for a pause.
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
#: "GPT-4", "v2.0": a number that belongs to a name, not a minus sign.
_NAME_NUMBER: Final = re.compile(rf"(?<=[{LATIN}])-?(?=\d)")
#: The English normaliser says "thousand two hundred" for amounts of money from 1000 to 1999.
_BARE_THOUSAND: Final = re.compile(
    r"\b(?<!ty )(?<!teen )(?<!red )(?<!one )(?<!two )(?<!three )(?<!four )(?<!five )(?<!six )"
    r"(?<!seven )(?<!eight )(?<!nine )(?<!ten )(?<!eleven )(?<!twelve )thousand\b"
)

#: What the rules may not know: neither ASCII nor a common ideograph, mark or unit.
_UNKNOWN: Final = re.compile(r"([^\x00-\x7f\u4e00-\u9fff\u3000-\u303f\uff00-\uffef℃￥¥€£°]+)")


def normalize(text: str, language: Language) -> str:
    """Return ``text`` as it is read aloud in ``language``; what is words already stays.

    The first call for a language loads its rules, which takes a second or two.
    """
    text = _NAME_NUMBER.sub(" ", _THOUSANDS.sub("", text)).replace("〇", "零")
    spoken = apply_rules(_normalizer(language), text)
    if language == "en" and "thousand" not in text.lower():
        spoken = _BARE_THOUSAND.sub("one thousand", spoken)
    return spoken


def apply_rules(rules: Callable[[str], str], text: str) -> str:
    """Return what the ``rules`` of a wetext normaliser make of ``text``, whatever is in it."""
    try:
        return str(rules(text))
    except AssertionError:
        # a number beside one character that its rules do not know ("À") makes wetext give up on
        # the whole text: leave such characters out of its sight
        parts = _UNKNOWN.split(text)
        return "".join(
            apply_rules(rules, part) if len(parts) > 1 and not _UNKNOWN.match(part) else part
            for part in parts
        )


@cache
def _normalizer(language: Language) -> Callable[[str], str]:
    from wetext import Normalizer  # loads every language's rules: seconds, tens of megabytes

    normalizer = Normalizer(lang=language, traditional_to_simple=language == "zh")
    return normalizer.normalize  # type: ignore[no-any-return]
