"""What is left of numbers: fractions, signs, counts; and figures that are written in other ways."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from glmtts_core.text.numerals import cardinal, count, digits, fraction, signed
from glmtts_core.text.patterns import COUNTED, LETTER, NUMBER, NUMBER_BEGINS, WORD_BEGINS
from glmtts_core.text.rule import Found, Rule, below_zero, rule

#: Names with a dash before their number.
_NAMED: Final = re.compile(
    "(?:歼|轰|运|直|东风|长征|神舟|嫦娥|天舟|天宫|鹰击|红旗|巨浪|苏|米格|图|伊尔|安|教|霹雳|卡|胰岛素|白介素|维生素)$"
)


@rule(
    rf"(?<![\d.,A-Za-z])([-+]?{NUMBER})[eE]([-+]?\d{{1,3}})(?![\w.])",
    {
        "约1e-5": "约一乘十的负五次方",
        "about 1.5e6": "about one point five times ten to the power of six",
    },
)
def scientific_number(found: Found) -> str:
    """1e-5, as programs print it."""
    first, exponent = (
        cardinal(found[1], found.language),
        signed(found[2].lstrip("+"), found.language),
    )
    if found.mandarin:
        return f"{first}乘十的{exponent}次方"
    return f"{first} times ten to the power of {exponent}"


#: English words before so many points of so many.
_RATED: Final = re.compile(
    rf"{WORD_BEGINS}(?:[Ss]cored?|[Rr]at(?:ed|ing|e)|got|gave (?:it|her|him|them)) "
    r"(?:of |an? |it )?$"
)


@rule(
    r"(?<![\d.,/A-Za-z])(?:(\d{1,4})(?:\s|又))?([1-9]\d{0,3})/([1-9]\d{0,3})(?![\d/]|\.\d)(?:th|ths|rd|rds)?",
    {
        "1/2的人": "二分之一的人",
        "Add 1/2 cup.": "Add one half cup.",
        "two and 3/4": "two and three quarters",
        "2 1/2 cups": "two and a half cups",
        "She scored 9/10.": "She scored nine out of ten.",
    },
)
def fraction_in_figures(found: Found) -> str | None:
    """3/4, 1 1/2."""
    special = {
        ("24", "7"): ("二十四小时全天候", "twenty four seven"),
        ("50", "50"): ("五十比五十", "fifty fifty"),
        ("9", "11"): ("九一一", "nine eleven"),
    }
    if (found[2], found[3]) in special and not found[1]:
        return special[found[2], found[3]][not found.mandarin]
    formula = int(found[2]) >= int(found[3]) and found.context.in_formula(*found.match.span())
    if found[3] == "1" or formula:
        return None
    if not found.mandarin and _RATED.search(found.before(16)):
        return f"{cardinal(found[2], 'en')} out of {cardinal(found[3], 'en')}"
    part = fraction(found[2], found[3], found.language)
    if not found[1]:
        return part
    if found.mandarin:
        return f"{cardinal(found[1], 'zh')}又{part}"
    return f"{cardinal(found[1], 'en')} and {'a half' if part == 'one half' else part}"


@rule(
    rf"{NUMBER_BEGINS}\d{{1,3}}(?:/\d{{1,3}}){{2,}}(?!\d)",
    {"回复1/2/3": "回复一、二、三"},
)
def slash_list(found: Found) -> str:
    """1/2/3."""
    comma = "、" if found.mandarin else ", "
    return comma.join(cardinal(part, found.language) for part in found[0].split("/"))


@rule(
    rf"{NUMBER_BEGINS}(\d+)/(\d+)(?!\d)",
    {"365/1": "三百六十五除以一"},
)
def division_by_one(found: Found) -> str:
    """Figures with a line that make no fraction."""
    between = "除以" if found.mandarin else " over "
    return f"{cardinal(found[1], found.language)}{between}{cardinal(found[2], found.language)}"


@rule(
    rf"[-–+](?=\d|\.\d)({NUMBER}|\.\d+)(?!\d)",
    {
        "账户余额-200": "账户余额负二百",
        "歼-20": "歼二十",
        "零下-3度": "零下三度",
        "It fell to -40.": "It fell to minus forty.",
    },
)
def number_with_a_sign(found: Found) -> str | None:
    """A minus or plus with nothing before it that it could join."""
    if re.search(rf"(?:{LETTER}|[\d)）])$", found.before(1)):
        return None
    if _NAMED.search(found.before(3)) or below_zero(found):
        return cardinal(found[1], found.language)
    number = found[0] if "." not in found[0][:2] else f"{found[0][0]}0{found[0][1:]}"
    return signed(number.replace("–", "-"), found.language)


@rule(
    r"(?<![\d.A-Za-z])\.\d+(?!\.?\d)",
    {"约.5米": "约零点五米", "a .22 rifle": "a zero point two two rifle"},
)
def number_that_begins_with_a_point(found: Found) -> str:
    """.5."""
    return cardinal(f"0{found[0]}", found.language)


@rule(
    r"#\s?(\d+)(?!\d)",
    {"He is #1.": "He is number one.", "3#楼 #2": "三 楼 二号"},
)
def number_with_a_hash(found: Found) -> str:
    """#1."""
    words = cardinal(found[1], found.language)
    return f"{words}号" if found.mandarin else f"number {words}"


@rule(
    rf"(?<![\d.,A-Za-z:/-])(?:666+|233+|996|007|886)(?![\d%A-Za-z]|[.,:/-]\d|\s?(?:{COUNTED}|[年月号]))"
    r"|(?<=[“\"「『‘])(?:520|1314|555+|110|119|120|911|315|618)(?=[”\"」』’])",
    {"弹幕都在刷666": "弹幕都在刷六六六", "所谓“996”": "所谓“九九六”"},
)
def figures_that_are_a_word(found: Found) -> str | None:
    """666 and 996, as the net writes them."""
    return digits(found[0], "zh") if found.mandarin else None


@rule(
    r"(?<![\w+-])\+1(?=\s*(?:$|[，。！？,!?~）)\n]))",
    {"说得对，+1": "说得对，加一"},
)
def plus_one(found: Found) -> str | None:
    """+1 as an answer."""
    return "加一" if found.mandarin else "plus one"


@rule(
    r"[①-⑳㉑-㉟㊱-㊿⓪❶-❿⓵-⓾➀-➓⓫-⓴⑴-⒇⒈-⒛]",
    {"步骤①②③": "步骤一二三", "第⑫条": "第十二条", "step ①": "step one"},
)
def enclosed_number(found: Found) -> str:
    """A number in a circle or brackets, or with a point."""
    return f"{_space(found)}{cardinal(str(int(unicodedata.numeric(found[0]))), found.language)}"


def _space(found: Found) -> str:
    return "" if found.mandarin else " "


@rule(
    r"[㈠-㈩㊀-㊉]|[Ⓐ-ⓩ🄰-🅉🅐-🅩]|[㈱㈲㊊-㊗㊙-㊰]",
    {"㈠总则": "一总则", "选Ⓐ": "选A"},
)
def enclosed_sign(found: Found) -> str | None:
    """An ideograph or a letter in a circle or brackets."""
    plain = re.sub("[^\u4e00-\u9fffA-Za-z]", "", unicodedata.normalize("NFKD", found[0]))
    if plain:
        return plain
    name = re.search(r"LETTER ([A-Z])$", unicodedata.name(found[0], ""))
    return name[1] if name else None


@rule(
    rf"(?<![\d.])({NUMBER})(?!\d)",
    {
        "有2个": "有两个",
        "It is 1,000 dollars.": "It is one thousand dollars.",
        "I have ８ cats.": "I have eight cats.",
        "共1,234人": "共一千二百三十四人",
        "第2名": "第二名",
    },
)
def number(found: Found) -> str:
    """A count."""
    return _count(found)


@rule(
    r"\d+(?:\.\d+)?",
    {"5..6": "五…六"},
)
def any_figures(found: Found) -> str:
    """Figures that nothing else knows."""
    return _count(found)


def _count(found: Found) -> str:
    if not found.mandarin:
        return cardinal(found[0], "en")
    if found.before(1) in ("第", "十", "百") or found.before(1).isdigit():
        return cardinal(found[0], "zh")
    return count(found[0], found.after(3))


NUMBERS: Final[tuple[Rule, ...]] = (
    slash_list,
    fraction_in_figures,
    division_by_one,
    figures_that_are_a_word,
    plus_one,
    number_with_a_sign,
    number_that_begins_with_a_point,
    number_with_a_hash,
    enclosed_number,
    enclosed_sign,
    number,
    any_figures,
)
