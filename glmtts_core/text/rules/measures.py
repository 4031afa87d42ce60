"""Numbers with units: quantities, temperatures, percentages, and their ranges."""

from __future__ import annotations

import re
from typing import Final

from glmtts_core.text.numerals import cardinal, count, digits, signed
from glmtts_core.text.patterns import LETTER, MEASURE_BEGINS, NUMBER, SIGN, WORD_ENDS
from glmtts_core.text.rule import Found, Rule, adds_to_a_quantity, before_a_noun, below_zero, rule
from glmtts_core.text.units import UNIT, unit_named

_TO: Final = r"\s?(?:--?|[–—~]|至|到)\s?"
#: Letters that are units only right behind the figure.
_CLOSE_ONLY: Final = frozenset(
    {"A", "B", "N", "J", "t", "h", "s", "v", "l", "MP", "bar", "rad", "us", "mi"}
)
#: Before these A is a grade or a letter, not ampere: 5A级景区.
_LETTER_A: Final = re.compile(
    r"\s?(?:级|景区|风景|旅游|纸|大小|班|座|栋|区|股|型|类|甲|片|证|游戏|大作|角色)"
)
#: The scale of a temperature, named before it.
_SCALE: Final = re.compile(r"(?:摄氏|华氏)(?:温度|零下)?\s?$")
_POWER: Final = re.compile(r"[⁰¹²³⁴-⁹]$|\d\s?\^[-+]?\d{1,3}\s?$")
_WITH_A_POINT: Final = "mi|oz|lbs?|in|ft|yd|hrs?|min|sec|tsp|tbsp"
#: Things that a quantity describes, as in the 100 m sprint.
_DESCRIBED: Final = re.compile(
    " (?:sprint|dash|race|hurdles|freestyle|relay|butterfly|backstroke|breaststroke|run|swim|hike|"
    rf"bottles?|cans?|bags?|batter(?:y|ies)|drives?|cables?|charger|screen|lens|limit|radius|marathon){WORD_ENDS}"
)


@rule(
    rf"{MEASURE_BEGINS}({SIGN})({NUMBER})\s?([%‰‱])?{_TO}({SIGN})({NUMBER})\s?([%‰‱])",
    {
        "增长了5%-8%。": "增长了百分之五到百分之八。",
        "涨幅在10-20%之间": "涨幅在百分之十到二十之间",
        "between 5–8%": "between five to eight percent",
    },
)
def percentages_from_to(found: Found) -> str:
    """5%-8%."""
    first, last = found[1].strip() + found[2], found[4].strip() + found[5]
    if found.mandarin:
        second = _share(last, found[6]) if found[3] else signed(last, "zh")
        return f"{_share(first, found[6])}到{second}"
    name = unit_named(found[6]).many
    between = f" {name} to " if found[3] else " to "
    return f"{signed(first, 'en')}{between}{signed(last, 'en')} {name}"


@rule(
    rf"{MEASURE_BEGINS}({SIGN})({NUMBER})\s?([%‰‱])",
    {"5%左右": "百分之五左右", "a 20% discount": "a twenty percent discount", "-3%": "负百分之三"},
)
def percentage(found: Found) -> str:
    """5%."""
    number = found[1].strip() + found[2]
    if found.mandarin:
        return _share(number, found[3])
    return f"{signed(number, 'en')} {unit_named(found[3]).many}"


def _share(number: str, sign: str) -> str:
    minus = {"-": "负", "–": "负", "+": "正"}.get(number[0], "")
    return f"{minus}{unit_named(sign).zh}{cardinal(number.lstrip('+-–'), 'zh')}"


@rule(
    rf"{MEASURE_BEGINS}({SIGN})({NUMBER})(\s?)({UNIT})?{_TO}({SIGN})({NUMBER})(\s?)({UNIT})(?![A-Za-z\d²³]|/[A-Za-z])",
    {
        "明天-3~5℃": "明天负三到五摄氏度",
        "about 40–60°C": "about forty to sixty degrees Celsius",
        "气温-5℃到3℃": "气温负五摄氏度到三摄氏度",
        "5kg-8kg": "五千克到八千克",
    },
)
def quantity_from_to(found: Found) -> str | None:
    """10-20kg, -3~5℃."""
    if found[8] in _CLOSE_ONLY and found[7]:
        return None
    if (
        "-" in found[0]
        and not found[1].strip()
        and _value(found[2]) > _value(found[6])
        and not found[4]
    ):
        return None
    first, last = found[1].strip() + found[2], found[5].strip() + found[6]
    one, other = unit_named(found[4] or found[8]), unit_named(found[8])
    if found.mandarin:
        inner = one.zh if found[4] else ""
        return f"{signed(first, 'zh')}{inner}到{_counted(last, other.zh)}"
    inner = f" {one.many}" if found[4] and found[4] != found[8] else ""
    return f"{signed(first, 'en')}{inner} to {signed(last, 'en')} {other.many}"


@rule(
    rf"{MEASURE_BEGINS}({NUMBER})\s?/\s?({NUMBER})\s?({UNIT})(?![A-Za-z\d/])",
    {"血压120/80mmHg": "血压一百二十比八十毫米汞柱"},
)
def pressure(found: Found) -> str | None:
    """Two numbers over each other with one unit; 1/2 kg is half of one."""
    if found[3] != "mmHg":
        return None
    unit = unit_named(found[3])
    if found.mandarin:
        return f"{cardinal(found[1], 'zh')}比{cardinal(found[2], 'zh')}{unit.zh}"
    return f"{cardinal(found[1], 'en')} over {cardinal(found[2], 'en')} {unit.many}"


@rule(
    rf"(?<=血压)(?:[为是：:\s])?({NUMBER})/({NUMBER})(?!\d)",
    {"血压120/80": "血压一百二十比八十"},
)
def blood_pressure(found: Found) -> str:
    """Two numbers after 血压."""
    return f"{cardinal(found[1], 'zh')}比{cardinal(found[2], 'zh')}"


@rule(
    rf"{MEASURE_BEGINS}({SIGN})({NUMBER})(\s?|-(?=[a-zμ]))({UNIT})(?![A-Za-z\d²³]|/[A-Za-z]|{LETTER})",
    {
        "500g面粉和220V电源": "五百克面粉和二百二十伏电源",
        "时速120km/h": "时速一百二十公里每小时",
        "It weighs 70kg.": "It weighs seventy kilograms.",
        "面积50㎡，重5㎏": "面积五十平方米，重五千克",
        "华氏100°F": "华氏一百度",
        "16GB内存+512GB固态": "十六 GB内存加五百一十二 GB固态",
        "for 5-km runs": "for five kilometer runs",
        "It drew 0.5 A at 12 V.": "It drew zero point five amperes at twelve volts.",
        "the 100m sprint": "the one hundred meter sprint",
    },
)
def quantity(found: Found) -> str | None:
    """A number with its unit."""
    number, writing = found[1].strip() + found[2], found[4]
    if _is_no_unit(found, writing):
        return None
    unit = unit_named(writing)
    if found.mandarin:
        return _in_mandarin(found, number, unit.zh)
    alone = (
        number in ("1", "-1")
        or found[3] == "-"
        or re.match("-[a-z]", found.after(2))
        or before_a_noun(found)
        or _DESCRIBED.match(found.after(14))
    )
    return f"{signed(number, 'en')} {unit.one if alone else unit.many}"


def _is_no_unit(found: Found, writing: str) -> bool:
    """Return whether letters behind a number are something else: 5A级景区, 3-D."""
    if found[3] == "-" and (found.mandarin or len(writing) < 2 or found.after(1) == "-"):
        return True
    if writing == "A" and "." in found[2]:
        return False
    if writing == "A" and (_LETTER_A.match(found.after(3)) or not found.mandarin):
        return True
    if writing in ("V", "B", "N", "J", "v", "W", "L", "MP") and found.after(1).isdigit():
        return True
    return writing in _CLOSE_ONLY and bool(found[3])


def _in_mandarin(found: Found, number: str, unit: str) -> str:
    if below_zero(found):
        number = number.lstrip("-–")
    if number[0] == "+" and adds_to_a_quantity(found):
        return f"加{_in_mandarin(found, number[1:], unit)}"
    if unit.isascii():
        return f"{signed(number, 'zh')} {unit}"
    if unit.endswith("氏度") and _SCALE.search(found.before(6)):
        unit = "度"
    return _counted(number, unit)


def _counted(number: str, unit: str) -> str:
    return f"{count(number, unit) if number == '2' else signed(number, 'zh')}{unit}"


@rule(
    rf"{MEASURE_BEGINS}({NUMBER})w(\+?)(?![A-Za-z\d/])",
    {"粉丝10w": "粉丝十万", "60w灯泡": "六十瓦灯泡", "月销2.5w+": "月销二点五万加"},
)
def ten_thousands(found: Found) -> str | None:
    """10w in a chat, which is no power."""
    if not found.mandarin:
        return None
    if re.match(r"\s?(?:灯|的灯|电|功|快充|充电|适配|节能|以下的?灯)", found.after(5)):
        return f"{cardinal(found[1], 'zh')}瓦"
    return f"{count(found[1], '万')}万{'加' * len(found[2])}"


@rule(
    r"/(?=(?:分钟?|小时|秒|天|日|周|月|年|人|次|个|件|斤|公斤|千克|克|升|吨|平方米|平米|台|套|户|亩|米)(?![\u4e00-\u9fff]))",
    {"心率80次/分": "心率八十次每分", "5kg/月": "五千克每月"},
)
def per_count_unit(found: Found) -> str | None:
    """The line between what is counted and what it is counted for."""
    return (
        "每"
        if re.search(r"\d\s?(?:[\u4e00-\u9fff]{1,3}|[A-Za-zμ²³]{1,4})$|[元块]$", found.before(8))
        else None
    )


@rule(
    rf"(?<=[A-Za-zμ]) ?/ ?(?={NUMBER}\s?(?:ml|mL|L|g|kg|km|h){WORD_ENDS})",
    {"含糖10g/100ml": "含糖十克每一百毫升"},
)
def per_quantity(found: Found) -> str | None:
    """The line between a quantity and the quantity it is contained in."""
    if not re.search(r"\d\s?[A-Za-zμ]{1,4}$", found.before(8)):
        return None
    return "每" if found.mandarin else " per "


@rule(
    rf"\s?(/?)({UNIT})(?![A-Za-z\d²³])",
    {
        "白细胞12×10⁹/L": "白细胞十二乘十的九次方每升",
        "about 3×10⁸m/s": "about three times ten to the power of eight meters per second",
        "3 x 10^8 m/s": "three times ten to the power of eight meters per second",
    },
)
def unit_after_a_power(found: Found) -> str | None:
    """The unit of a number with an exponent."""
    if not _POWER.search(found.before(8)):
        return None
    unit = unit_named(found[2])
    if found[1]:
        return f"每{unit.zh}" if found.mandarin else f"per {unit.one}"
    return unit.zh if found.mandarin else unit.many


@rule(
    rf"{MEASURE_BEGINS}({NUMBER})\s?({_WITH_A_POINT})\.(?=\s[a-z\d(]|\s?[,;:)])",
    {"just 3 mi. away": "just three miles away", "5 oz. of gin": "five ounces of gin"},
)
def unit_with_a_point(found: Found) -> str | None:
    """3 mi., where the sentence goes on."""
    if found.mandarin:
        return None
    unit = unit_named(found[2])
    alone = found[1] == "1" or before_a_noun(found)
    return f"{cardinal(found[1], 'en')} {unit.one if alone else unit.many}"


def _value(number: str) -> float:
    return float(number.replace(",", ""))


@rule(
    r"(?<=\d[秒米])\d{1,2}(?!\.?\d|[A-Za-z]|\s?[米厘分])",
    {"以9秒83夺冠": "以九秒八三夺冠", "身高1米78": "身高一米七八"},
)
def part_of_a_unit(found: Found) -> str:
    """The hundredths of 9秒83 and the centimeters of 1米78."""
    return digits(found[0], "zh")


MEASURES: Final[tuple[Rule, ...]] = (
    part_of_a_unit,
    percentages_from_to,
    percentage,
    quantity_from_to,
    pressure,
    blood_pressure,
    unit_with_a_point,
    ten_thousands,
    quantity,
    per_count_unit,
    per_quantity,
    unit_after_a_power,
)
