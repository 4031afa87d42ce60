"""Lengths in feet and inches, angles, areas in letters, and how long by how wide."""

from __future__ import annotations

import re
from typing import Final

from glmtts_core.text.numerals import cardinal, count, signed
from glmtts_core.text.patterns import MEASURE_BEGINS, NUMBER, SIGN
from glmtts_core.text.rule import Found, Rule, before_a_noun, rule
from glmtts_core.text.units import UNIT, Unit, unit_named

_SCREEN: Final = re.compile(r"\s?(?:screen|display|monitor|TV|pipe|laptop|显示|屏|电视|液晶|轮)")


@rule(
    rf"{MEASURE_BEGINS}({SIGN})(\d{{1,3}})°\s?(\d{{1,2}})[′'](?:\s?(\d{{1,2}}(?:\.\d+)?)[″\"])?",
    {"北纬39°54′": "北纬三十九度五十四分"},
)
def angle(found: Found) -> str:
    """Degrees, minutes and seconds of an arc."""
    names = ("度", "分", "秒") if found.mandarin else (" degrees ", " minutes ", " seconds")
    parts = [found[1].strip() + found[2], found[3], found[4]]
    return "".join(
        signed(part, found.language) + name for part, name in zip(parts, names, strict=True) if part
    ).strip()


@rule(
    rf"{MEASURE_BEGINS}(\d{{1,3}})['′]\s?(\d{{1,2}})[\"″]",
    {"He is 5'10\" tall": "He is five feet ten inches tall", "成绩3′20″": "成绩三分二十秒"},
)
def feet_and_inches(found: Found) -> str:
    """How tall somebody is; in Mandarin, and from 12 on, minutes and seconds."""
    one, two = (cardinal(found[group], found.language) for group in (1, 2))
    if found.mandarin:
        return f"{one}分{two}秒"
    minutes = int(found[2]) >= 12
    return f"{one} minutes {two} seconds" if minutes else f"{one} feet {two} inches"


@rule(
    rf"{MEASURE_BEGINS}([3-8])['′](\d{{1,2}})(?![\d\"″'′.,]|[:/-]\d)",
    {"He's 6'2 tall": "He's six foot two tall"},
)
def feet_and_a_number(found: Found) -> str | None:
    """6'2, as people say how tall they are."""
    if found.mandarin or int(found[2]) > 11:
        return None
    return f"{cardinal(found[1], 'en')} foot {cardinal(found[2], 'en')}"


@rule(
    rf"{MEASURE_BEGINS}(\d{{1,3}})\s?ft\.?\s?(\d{{1,2}})\s?in(?:\.(?=\s[a-z]))?(?![A-Za-z])",
    {"She is 5 ft 6 in tall.": "She is five feet six inches tall."},
)
def feet_and_inches_in_letters(found: Found) -> str:
    """5 ft 6 in."""
    one, two = (cardinal(found[group], found.language) for group in (1, 2))
    return f"{one}英尺{two}英寸" if found.mandarin else f"{one} feet {two} inches"


@rule(
    rf"{MEASURE_BEGINS}(\d{{1,3}}(?:\.\d+)?)([\"″′])",
    {
        '27"显示器': "二十七英寸显示器",
        'a 27" screen': "a twenty seven inch screen",
        "15′": "十五分",
    },
)
def inches(found: Found) -> str | None:
    """How large a screen is: a quotation mark that has no other, or that a screen follows."""
    number = cardinal(found[1], found.language)
    if found[2] == "′":
        return f"{number}分" if found.mandarin else f"{number} feet"
    alone = found[2] == "″" or found.context.text.count('"') == 1
    if not alone and not _SCREEN.match(found.after(9)):
        return None
    one = _SCREEN.match(found.after(9)) or found[1] == "1" or before_a_noun(found)
    return f"{number}英寸" if found.mandarin else f"{number} {'inch' if one else 'inches'}"


@rule(
    rf"{MEASURE_BEGINS}({NUMBER})[\s-]?(sq|cu)\.?\s?(ft|km|cm|mi|in|yd|m)(?:\.(?=\s[a-z]))?(?![A-Za-z\d])",
    {"a yard of 20 sq ft": "a yard of twenty square feet", "共20sq.m": "共二十平方米"},
)
def area_in_letters(found: Found) -> str:
    """20 sq ft, 3 cu. m."""
    unit = unit_named(found[3])
    if found.mandarin:
        square = "平方" if found[2] == "sq" else "立方"
        return f"{count(found[1], square)}{square}{unit.zh}"
    square = "square" if found[2] == "sq" else "cubic"
    alone = found[1] == "1" or before_a_noun(found)
    return f"{cardinal(found[1], 'en')} {square} {unit.one if alone else unit.many}"


@rule(
    rf"{MEASURE_BEGINS}({NUMBER})\s?({UNIT})\s?[xX×*]\s?({NUMBER})\s?({UNIT})"
    rf"(?:\s?[xX×*]\s?({NUMBER})\s?({UNIT}))?(?![A-Za-z\d])",
    {
        "桌面120cm*60cm": "桌面一百二十厘米乘六十厘米",
        "a 3 m x 2 m room": "a three meter by two meter room",
    },
)
def size_with_its_units(found: Found) -> str:
    """So long by so wide, each with its unit."""
    parts = [part for part in found.match.groups() if part]
    sides = [
        _side(found, number, unit_named(writing))
        for number, writing in zip(parts[::2], parts[1::2], strict=True)
    ]
    return ("乘" if found.mandarin else " by ").join(sides)


def _side(found: Found, number: str, unit: Unit) -> str:
    if found.mandarin:
        return cardinal(number, "zh") + unit.zh
    alone = number == "1" or before_a_noun(found)
    return f"{cardinal(number, 'en')} {unit.one if alone else unit.many}"


@rule(
    rf"{MEASURE_BEGINS}({NUMBER})\s?[xX×*]\s?({NUMBER})(?:\s?[xX×*]\s?({NUMBER}))?(?:\s?({UNIT})(?![A-Za-z]))?"
    r"(?![\d^²³⁰-⁹]|\s?[=+×÷])",
    {
        "屏幕1920x1080": "屏幕一千九百二十乘一千零八十",
        "箱子20×30×40cm": "箱子二十乘三十乘四十厘米",
        "a 3x5 card": "a three by five card",
    },
)
def size(found: Found) -> str | None:
    """So long by so wide."""
    if found.context.in_formula(*found.match.span()) or found[1] == "0":
        return None
    first = int(found[1].split(".")[0].replace(",", ""))
    by = "*" not in found[0] and (
        "x" in found[0].lower() or first >= 100 or bool(found[3] or found[4])
    )
    between = "乘" if found.mandarin else " by " if by else " times "
    words = between.join(
        cardinal(part, found.language) for part in found.match.groups()[:3] if part
    )
    if not found[4]:
        return words
    unit = unit_named(found[4])
    return f"{words}{unit.zh}" if found.mandarin else f"{words} {unit.many}"


SIZES: Final[tuple[Rule, ...]] = (
    size_with_its_units,
    size,
    area_in_letters,
    angle,
    feet_and_inches,
    feet_and_inches_in_letters,
    feet_and_a_number,
    inches,
)
