"""Days: of a month, of the week, and those that became a name."""

from __future__ import annotations

import re
from typing import Final

from glmtts_core.text.numerals import digits, ordinal
from glmtts_core.text.patterns import NUMBER_BEGINS, NUMBER_ENDS, WORD_BEGINS, WORD_ENDS
from glmtts_core.text.rule import Found, Rule, rule

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
SHORT_MONTHS: Final = {month[:3]: month for month in MONTHS if month != "May"} | {
    "Sept": "September"
}
#: Pattern of a month's name, in full or short.
MONTH: Final = (
    rf"(?:{'|'.join(MONTHS)}|(?:{'|'.join(sorted(SHORT_MONTHS, key=len, reverse=True))})\.?)"
)
_AFTER_MONTH: Final = re.compile(rf"(?<![A-Za-z]){MONTH} (?:the )?$")
_DAYS: Final = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
    "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip
#: Pattern of a day's short name.
DAY: Final = "|".join(sorted(_DAYS, key=len, reverse=True))
#: Days that are called by their figures; those before 双 are two of a kind.
_NAMED_DAYS: Final = {
    "3.8": "三八", "3.15": "三一五", "5.1": "五一", "5.4": "五四", "5.12": "五一二",
    "5.20": "五二零", "6.1": "六一", "6.18": "六一八", "618": "六一八", "7.1": "七一",
    "8.1": "八一", "9.18": "九一八", "10.1": "十一", "11.11": "双十一", "12.12": "双十二",
    "12.9": "一二九", "12.13": "一二一三",
}  # fmt: skip
_OCCASION: Final = (
    "劳动|国庆|妇女|儿童|建军|建党|青年|女神|节|放假|假期|长假|小长假|黄金周|大促|购物|狂欢|促销|电商|年中|活动|期间|晚会|和双|、双|"
    "事变|运动|地震|公祭|消费者|当天"
)


@rule(
    rf"{NUMBER_BEGINS}(\d{{1,2}}\.\d{{1,2}}|618)(?=\s?(?:{_OCCASION}))",
    {
        "5.1劳动节": "五一劳动节",
        "10.1国庆": "十一国庆",
        "12.12大促": "双十二大促",
        "618大促": "六一八大促",
    },
)
def day_that_became_a_name(found: Found) -> str | None:
    """5.1劳动节."""
    name = _NAMED_DAYS.get(found[1])
    return name.removeprefix("双") if name and found.before(1) == "双" else name


@rule(
    rf"{WORD_BEGINS}(\d{{1,2}})(?:st|nd|rd|th)?(?:(?= (?:of )?{MONTH}{WORD_ENDS})|{WORD_ENDS})"
    r"(?!\s?[:%]|[.,/-]\d)",
    {
        "October 1, 2024": "October first, twenty twenty four",
        "May 5th": "May fifth",
        "on 3 June": "on the third of June",
    },
)
def day_of_a_month(found: Found) -> str | None:
    """A day's number beside the name of its month."""
    value = int(found[1])
    if not 1 <= value <= 31:
        return None
    if _AFTER_MONTH.search(found.before(16)):
        return ordinal(value)
    follows = re.match(rf" (of )?{MONTH}{WORD_ENDS}", found.after(16))
    if not follows:
        return None
    the = "" if found.before(5).endswith("the ") else "the "
    return f"{the}{ordinal(value)}" + ("" if follows[1] else " of")


@rule(
    rf"{WORD_BEGINS}({MONTH})(?=\s(?:the )?\d{{1,2}}(?:st|nd|rd|th)?{WORD_ENDS}(?![:%])|"
    rf"\s(?:19|20)\d\d{WORD_ENDS})"
    rf"|(?<=\d )({MONTH}){WORD_ENDS}|(?<=\d(?:st|nd|rd|th) )({MONTH}){WORD_ENDS}",
    {
        "on Feb 29": "on February twenty ninth",
        "12 Dec 2024": "the twelfth of December twenty twenty four",
    },
)
def short_month(found: Found) -> str | None:
    """Feb beside the number of its day."""
    return SHORT_MONTHS.get(found[0].rstrip("."))


@rule(
    rf"{WORD_BEGINS}({DAY})\.?\s?[-–—]\s?({DAY}){WORD_ENDS}",
    {"Mon-Fri, 9 to 5": "Monday to Friday, nine to five"},
)
def days_from_to(found: Found) -> str:
    """Mon-Fri."""
    return f"{_DAYS[found[1]]} to {_DAYS[found[2]]}"


@rule(
    rf"{WORD_BEGINS}({DAY})\.?(?=,?\s(?:{MONTH}\s\d|\d{{1,2}}(?::\d\d|\s?[ap]m{WORD_ENDS}|\s{MONTH}{WORD_ENDS})))"
    rf"|(?<={WORD_BEGINS}[Oo]n )({DAY}){WORD_ENDS}(?:\.(?=\s[a-z]))?",
    {"Fri, 13 June": "Friday, the thirteenth of June", "on Tues. at noon": "on Tuesday at noon"},
)
def short_day_of_the_week(found: Found) -> str:
    """Mon before a date or a time."""
    return _DAYS[found[1] or found[2]]


@rule(
    rf"{NUMBER_BEGINS}0([1-9])(?=\s?月)|(?<=月)0([1-9])(?=\s?[日号])",
    {"2026年06月01日": "二零二六年六月一日"},
)
def zero_before_a_month(found: Found) -> str | None:
    """06月."""
    return digits(found[1] or found[2], "zh") if found.mandarin else None


@rule(
    rf"{NUMBER_BEGINS}(\d{{1,2}})·(\d{{1,2}}){NUMBER_ENDS}",
    {"9·11事件": "九一一事件", "3·15晚会": "三一五晚会"},
)
def day_with_a_point(found: Found) -> str:
    """A day that became a name."""
    return digits(found[1] + found[2], found.language)


DAYS: Final[tuple[Rule, ...]] = (
    zero_before_a_month,
    day_that_became_a_name,
    short_month,
    day_of_a_month,
    days_from_to,
    short_day_of_the_week,
    day_with_a_point,
)
