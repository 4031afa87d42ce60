"""Dates, years, decades and ordinals."""

from __future__ import annotations

import re
from typing import Final

from glmtts_core.text.numerals import cardinal, decade, digits, ordinal, year
from glmtts_core.text.patterns import COUNTED, NUMBER_BEGINS, NUMBER_ENDS, WORD_BEGINS, WORD_ENDS
from glmtts_core.text.rule import Found, Rule, rule
from glmtts_core.text.rules.days import MONTH, MONTHS
from glmtts_core.text.units import UNIT

_AFTER_MONTH_AND_DAY: Final = re.compile(
    rf"(?<![A-Za-z]){MONTH} (?:the )?\d{{1,2}}(?:st|nd|rd|th)?,? $"
)
#: English words after which four figures are a year.
_BEFORE_YEAR: Final = re.compile(
    rf"(?:{WORD_BEGINS}(?:in|since|by|of|from|until|till|during|after|before|year|early|mid|late|around|circa|"
    rf"spring|summer|autumn|fall|winter|to|through|and|[Ii]n|[Ss]ince|[Bb]y)|{MONTH},?)[ -]$|© ?$"
)
_AFTER_YEAR: Final = re.compile(
    r" (?:season|election|edition|Olympics|World Cup|AD|BC|BCE|CE|was|saw|and (?:1[5-9]|20)\d\d)"
    rf"{WORD_ENDS}"
)
_COUNTED_IN_ENGLISH: Final = (
    rf"(?:people|men|women|dollars|words|steps|calories|items|pages|times){WORD_ENDS}"
)
#: Units and nouns after two numbers: then they are amounts, not years.
_COUNTED: Final = re.compile(rf"\s?(?:{UNIT}(?![A-Za-z])|{COUNTED}|{_COUNTED_IN_ENGLISH})")
_PART_OF_A_YEAR: Final = re.compile(
    r"年(?:\s?\d{1,2}月|初|底|末|春|夏|秋|冬|[上下]半年|年[初中底]|度|款|版|届|第[一二三四1-4]季度|一季度)"
)
_BEFORE_DECADE: Final = re.compile("(?:[Tt]he |['’]|early |late |mid[ -])$")
_AFTER_DECADE: Final = re.compile(" (?:music|style|fashion|movies?|era|rock|pop|hits|kids?|cinema)")


def _day(found: Found, years: str, months: str, days: str) -> str | None:
    """Return a date in words; None where there is no such day."""
    month, day = int(months), int(days or 1)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if found.mandarin:
        words = f"{digits(years, 'zh')}年" if years else ""
        words += f"{cardinal(str(month), 'zh')}月"
        return words + (f"{cardinal(str(day), 'zh')}日" if days else "")
    words = MONTHS[month - 1] + (f" {ordinal(day)}" if days else "")
    return f"{words}, {year(int(years))}" if years else words


@rule(
    rf"{NUMBER_BEGINS}(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}})"
    rf"(?:\s?[-–—~至到]\s?(?:(\d{{4}})\2)?(\d{{1,2}})\2(\d{{1,2}}))?日?(?:T(?=\d\d:)|(?![\d]|[-/.]\d))",
    {
        "2024-10-01发布": "二零二四年十月一日发布",
        "On 2024/3/5 we met": "On March fifth, twenty twenty four we met",
        "2024.10.1-10.7放假": "二零二四年十月一日到十月七日放假",
    },
)
def date_with_the_year_first(found: Found) -> str | None:
    """2024-10-01, with one kind of sign."""
    first = _day(found, found[1], found[3], found[4])
    if first is None or not found[6]:
        return first
    last = _day(found, found[5], found[6], found[7])
    if last is None:
        return None
    return f"{first}到{last}" if found.mandarin else f"{first} to {last}"


@rule(
    rf"{NUMBER_BEGINS}(\d{{1,2}})([/.-])(\d{{1,2}})\2((?:19|20)\d\d){NUMBER_ENDS}",
    {
        "on 10/1/2024": "on October first, twenty twenty four",
        "于31.12.2024": "于二零二四年十二月三十一日",
    },
)
def date_with_the_year_last(found: Found) -> str | None:
    """10/1/2024: the month first, unless it cannot be one or points stand between."""
    first, second = found[1], found[3]
    if int(first) > 12 or found[2] == ".":
        first, second = second, first
    return _day(found, found[4], first, second)


@rule(
    rf"{NUMBER_BEGINS}(?:(0[1-9])/(0?[1-9]|[12]\d|3[01])|(1[0-2]|[1-9])/(0[1-9])){NUMBER_ENDS}(?!/)",
    {"于05/20": "于五月二十日", "on 10/01": "on October first"},
)
def day_without_a_year(found: Found) -> str | None:
    """05/20: a zero in front, so no fraction."""
    return _day(found, "", found[1] or found[3], found[2] or found[4])


@rule(
    rf"{NUMBER_BEGINS}((?:19|20)\d\d)[-/](0[1-9]|1[0-2])(?:月份?)?{NUMBER_ENDS}(?![-–/~年学])",
    {"2024-10更新": "二零二四年十月更新"},
)
def year_and_month(found: Found) -> str | None:
    """2024-10."""
    return _day(found, found[1], found[2], "")


@rule(
    rf"{NUMBER_BEGINS}(\d{{4}})(年?)\s?[-–—~至到]\s?(\d{{4}}|\d{{2}}(?!\d))(?=\s?(?:年|学年|赛季|财年|届))",
    {"2023-2024学年": "二零二三到二零二四学年", "1990年-2000年": "一九九零年到二零零零年"},
)
def years_from_to(found: Found) -> str:
    """The years of a school or a season."""
    return f"{digits(found[1], 'zh')}{found[2]}到{digits(found[3], 'zh')}"


@rule(
    rf"{NUMBER_BEGINS}(\d{{4}})\s?(?=(?:年(?!前|以前|之前|以来|多|的历史|历史|后的)|学年|财年|年度|赛季|届|款|版|秋|春)(?!代码))",
    {"2008年奥运会": "二零零八年奥运会", "2024款": "二零二四款"},
)
def year_before_its_word(found: Found) -> str | None:
    """Four figures before 年, one by one; 3000年前 is a span."""
    return digits(found[1], "zh")


@rule(
    r"(?<=[〔\[（(])((?:19|20)\d\d)(?=[〕\]）)]\s?第?\d+号)",
    {"国发〔2024〕5号": "国发(二零二四)五号"},
)
def year_of_a_document(found: Found) -> str:
    """The year in the number of an official paper."""
    return digits(found[1], "zh")


@rule(
    rf"(?:{NUMBER_BEGINS}|(?<![A-Za-z\d])['’])(\d{{2}})(?=年(?!代|前|后|间|内|以|来|多|期|的|左右|之|制|长))",
    {
        "98年出生": "九八年出生",
        "05年毕业": "零五年毕业",
        "23年12月": "二三年十二月",
        "’24年春": "二四年春",
    },
)
def short_year(found: Found) -> str | None:
    """98年: a year above 50, below 10, or where a part of a year follows; else how many."""
    context = not found[0].isdigit() or _PART_OF_A_YEAR.match(found.after(6))
    if 10 <= int(found[1]) <= 50 and not context:
        return None
    return digits(found[1], "zh")


@rule(
    rf"{NUMBER_BEGINS}([05-9][05])(?=后(?![天年月来面]))",
    {"90后": "九零后", "00后": "零零后"},
)
def born_after(found: Found) -> str:
    """Who was born in those ten years."""
    return digits(found[1], "zh")


@rule(
    rf"{NUMBER_BEGINS}(1[1-9]|20)?(\d)0['’]?s(?:年代)?{WORD_ENDS}",
    {
        "in the 1990s": "in the nineteen nineties",
        "1990s的歌": "一九九零年代的歌",
        "the 2000s": "the two thousands",
    },
)
def ten_years(found: Found) -> str | None:
    """1990s, which is not so many seconds."""
    century, tens = found[1], found[2]
    context = _BEFORE_DECADE.search(found.before(6)) or _AFTER_DECADE.match(found.after(12))
    if not century and (int(tens) < 2 or not context):
        return None
    if found.mandarin:
        return f"{digits(century + tens + '0', 'zh')}年代"
    return decade(int(century or 0), int(tens))


@rule(
    rf"{WORD_BEGINS}(\d+)(?:st|nd|rd|th){WORD_ENDS}",
    {"the 21st century": "the twenty first century"},
)
def ordinal_in_figures(found: Found) -> str:
    """21st."""
    return ordinal(int(found[1]))


@rule(
    rf"{NUMBER_BEGINS}((?:1[1-9]|20)\d\d){NUMBER_ENDS}(?![\d%]|\s?[-–—]\s?\d)",
    {
        "Born in 1985.": "Born in nineteen eighty five.",
        "since 2005": "since two thousand and five",
        "in July, 1776": "in July, seventeen seventy six",
    },
)
def year_in_english(found: Found) -> str | None:
    """Four figures where English words say that it is a year."""
    if found.mandarin:
        return None
    before = found.before(24)
    context = _BEFORE_YEAR.search(before) or _AFTER_MONTH_AND_DAY.search(before)
    if context and not re.match(f" {_COUNTED_IN_ENGLISH}", found.after(10)):
        return year(int(found[1]))
    return year(int(found[1])) if _AFTER_YEAR.match(found.after(20)) else None


@rule(
    rf"{NUMBER_BEGINS}(1[4-9]\d\d|20\d\d)\s?[-–—~]\s?(1[4-9]\d\d|20\d\d){NUMBER_ENDS}",
    {
        "from 1914–1918": "from nineteen fourteen to nineteen eighteen",
        "生卒1881-1936": "生卒一八八一到一九三六",
    },
)
def two_years(found: Found) -> str | None:
    """Two years with a dash between."""
    if int(found[1]) >= int(found[2]) or _COUNTED.match(found.after(8)):
        return None
    if found.mandarin:
        return f"{digits(found[1], 'zh')}到{digits(found[2], 'zh')}"
    return f"{year(int(found[1]))} to {year(int(found[2]))}"


DATES: Final[tuple[Rule, ...]] = (
    date_with_the_year_first,
    date_with_the_year_last,
    day_without_a_year,
    year_and_month,
    years_from_to,
    two_years,
    year_before_its_word,
    year_of_a_document,
    short_year,
    born_after,
    ten_years,
    ordinal_in_figures,
    year_in_english,
)
