"""Numbers, dates, units and currency as words, in Mandarin or English, through wetext."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from glmtts_core.catalogue import Language
from glmtts_core.text.script import HAN, LATIN

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
#: "10~20", "5%～8%", "3月5日～8日": a range, and in English "~5": about so many.
_RANGE: Final = re.compile(
    rf"(\d(?:\s?(?:[%℃°]|[{LATIN}°]{{1,3}}|[{HAN}]{{1,2}}))?)\s*[~～]\s*(?=[-+$¥￥€£]?\d)"
)
_ABOUT: Final = re.compile(r"[~～]\s*(?=[-+$¥￥€£]?\d)")
#: "1990s", in which the rules see seconds. In Mandarin only years near ours: 1200s is a time.
_DECADE_ZH: Final = re.compile(rf"(?<![\d.])((?:1[89]|20)\d0)['’]?s(?:年代)?(?![{LATIN}\d])")
_DECADE_EN: Final = re.compile(rf"(?<![\d.])(1[1-9]|20)(\d)0['’]?s(?![{LATIN}\d])")
_CENTURIES: Final = (
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen", "twenty",
)  # fmt: skip
_DECADES: Final = (
    "hundreds", "tens", "twenties", "thirties", "forties", "fifties", "sixties", "seventies",
    "eighties", "nineties",
)  # fmt: skip
#: "1 1/2": in Mandarin one and a half needs a word between.
_MIXED_NUMBER: Final = re.compile(r"(?<![\d/.])(\d+) (?=\d+/\d)")

#: What the rules may not know: neither ASCII nor a common ideograph, mark or unit.
_UNKNOWN: Final = re.compile(r"([^\x00-\x7f\u4e00-\u9fff\u3000-\u303f\uff00-\uffef℃￥¥€£°]+)")


def normalize(text: str, language: Language) -> str:
    """Return ``text`` as it is read aloud in ``language``; what is words already stays.

    The first call for a language loads its rules, which takes a second or two.
    """
    text = _NAME_NUMBER.sub(" ", _THOUSANDS.sub("", text)).replace("〇", "零")
    text = _mandarin_figures(text) if language == "zh" else _english_figures(text)
    spoken = apply_rules(_normalizer(language), text)
    if language == "en" and "thousand" not in text.lower():
        spoken = _BARE_THOUSAND.sub("one thousand", spoken)
    return spoken


def _mandarin_figures(text: str) -> str:
    text = _DECADE_ZH.sub(r"\1年代", text)
    return _MIXED_NUMBER.sub(r"\1又", _RANGE.sub(r"\1到", text))


def _english_figures(text: str) -> str:
    text = _ABOUT.sub("about ", _RANGE.sub(r"\1 to ", text))
    # what is left means nothing but a drawn-out word; the rules would say "tilde"
    return _DECADE_EN.sub(_decade, re.sub(r"\s*[~～]", ",", text))


def _decade(match: re.Match[str]) -> str:
    if match.group(1, 2) == ("20", "0"):
        return "two thousands"
    return f"{_CENTURIES[int(match[1]) - 11]} {_DECADES[int(match[2])]}"


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
