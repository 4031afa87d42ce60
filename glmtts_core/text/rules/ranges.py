"""From one number to another, without a unit of letters."""

from __future__ import annotations

import re
from typing import Final

from glmtts_core.text.numerals import cardinal, count, signed
from glmtts_core.text.patterns import NUMBER
from glmtts_core.text.rule import Found, Rule, rule

_DASH: Final = r"\s?(?:--?|[–—~])\s?"
_BEGIN: Final = r"(?<![A-Za-z\d.,/])(?<![A-Za-z\d]-)"
_END: Final = r"(?![\d]|[.,/:]\d|[-–]\d)"
_UNIT_BEFORE: Final = re.compile(
    r"\d\s?(?:年|月|日|号|点|时|分|秒|岁|元|块|度|级|层|楼|页|章|节|周|天|届|期|米|斤|公斤|千克|公里|小时|分钟|"
    r"个月|万元?|亿元?|千|百|人|次|倍|折|名|位|个|寸|英寸|班|集|条|路|排|%|°C|级)$"
)


@rule(
    rf"{_BEGIN}([-+–]?)({NUMBER}){_DASH}([-+–]?)({NUMBER})([十百千]?[万亿]|[百千])?{_END}",
    {
        "第1-3章": "第一到三章",
        "1.5-2倍": "一点五到两倍",
        "Read pages 10-15.": "Read pages ten to fifteen.",
        "3-5万": "三到五万",
    },
)
def numbers_from_to(found: Found) -> str | None:
    """A dash between a smaller number and a larger one, or a tilde between any."""
    rising = _value(found[1] + found[2]) < _value(found[3] + found[4])
    if "~" not in found[0] and not rising and not found[3]:
        return None
    if found.after(1) == "室":
        return None
    if "-" in found[0] and found.context.in_formula(*found.match.span()):
        return None
    first, last = found[1] + found[2], found[3] + found[4]
    if found.mandarin:
        many = found[5]
        start = signed(first, "zh")
        counted = many or found.after(2)
        if found[2] == "2" and not found[1] and not _ordinal_before(found):
            start = count("2", counted)
        if found[4] == "2" and not found[3] and not _ordinal_before(found):
            return f"{start}到{count('2', counted)}{many}"
        return f"{start}到{signed(last, 'zh')}{many}"
    return f"{signed(first, 'en')} to {signed(last, 'en')}"


def _ordinal_before(found: Found) -> bool:
    return found.before(1) == "第"


@rule(
    r"\s?(?:--?|[–—~])\s?(?=\d|第|零下|负)",
    {"6月18日-20日": "六月十八日到二十日", "9点-18点": "九点到十八点"},
)
def dash_between_counted_things(found: Found) -> str | None:
    """The dash of 18日-20日."""
    if not found.mandarin:
        return None
    tilde = "~" in found[0] and re.search(r"\d$", found.before(1))
    return "到" if tilde or _UNIT_BEFORE.search(found.before(8)) else None


@rule(
    r"\s?(?:--?|[–—~])\s?(?=周|星期|礼拜|[一二三四五六七八九十]+月)",
    {"周一-周五": "周一到周五"},
)
def dash_between_days(found: Found) -> str | None:
    """The dash between two days of the week or two months."""
    return "到" if re.search("(?:周|星期|礼拜)[一二三四五六日天]$|月$", found.before(3)) else None


@rule(
    r"(?<![A-Za-z\d])[Pp](\d{1,4})\s?[-–~]\s?[Pp]?(\d{1,4})(?![A-Za-z\d.-])",
    {"P12-15的习题": "P 十二到十五的习题", "see P12-15": "see pages twelve to fifteen"},
)
def pages_from_to(found: Found) -> str | None:
    """P12-15."""
    if int(found[1]) >= int(found[2]):
        return None
    first, last = (cardinal(found[group], found.language) for group in (1, 2))
    return f"P {first}到{last}" if found.mandarin else f"pages {first} to {last}"


@rule(
    rf"{_BEGIN}({NUMBER})([kKwGMT])\s?[-–~]\s?({NUMBER})([kKwGMT])(?![A-Za-z\d])",
    {"工资8k-10k": "工资八 k 到十 k"},
)
def letters_from_to(found: Found) -> str:
    """8k-10k."""
    first, last = (cardinal(found[group], found.language) for group in (1, 3))
    return f"{first} {found[2]} {'到' if found.mandarin else 'to '}{last} {found[4]}"


@rule(
    r"\s?[-–]\s?(?=\d)",
    {
        "1/3-1/2的人": "三分之一到二分之一的人",
        "from 9-5": "from nine to five",
        "3-201室": "三杠二零一室",
    },
)
def dash_between_figures(found: Found) -> str | None:
    """Any other dash between figures."""
    if not re.search(r"\d\s?$", found.before(2)) or found.context.in_formula(*found.match.span()):
        return None
    if re.search(r"\d/\d+$", found.before(6)) or not found.mandarin:
        spaced = found.before(1) == " " and not found.mandarin
        return "到" if found.mandarin else " minus " if spaced else " to "
    place = re.match(r"\d+(?:室|号|楼|栋|单元|房|座)", found.after(8))
    return "杠" if place else "减"


@rule(
    r"~\s?(?=\d)",
    {"有~5个": "有约五个", "~5 minutes": "about five minutes"},
)
def about(found: Found) -> str | None:
    """A tilde before a number."""
    if re.search(r"[\dA-Za-z%]\s?$", found.before(2)):
        return None
    if found.mandarin:
        return None if found.before(1) in ("约", "近") else "约"
    return "about"


def _value(number: str) -> float:
    return float(number.replace(",", "").replace("–", "-"))


RANGES: Final[tuple[Rule, ...]] = (
    pages_from_to,
    letters_from_to,
    numbers_from_to,
    dash_between_counted_things,
    dash_between_days,
    dash_between_figures,
    about,
)
