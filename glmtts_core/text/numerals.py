"""Numbers as words, in Mandarin and in English.

Knows nothing about what a number stands for: the rules decide whether 2024 is a year, a price or a
row of digits.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from glmtts_core.catalogue import Language
from glmtts_core.errors import ReadingError

_ZH_DIGITS: Final = "零一二三四五六七八九"
_EN_DIGITS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
)  # fmt: skip
#: The largest whole numbers that both libraries have names for; longer ones are read digit by digit
_MOST_DIGITS: Final = 16
_MANDARIN_NUMBER: Final = re.compile("[零一二三四五六七八九十百千万亿]+")
#: A number that begins so is 两千, 两万, 两亿; 一万二千 and 二百 stay.
_BEGINS_WITH_TWO: Final = re.compile("^二(?=[千万亿])")
#: Words before which the number 2 is read 两: measure words, spans of time, common units.
_COUNTED_BY_LIANG: Final = re.compile(
    r"\s?(?:个(?!月份)|位|只|次|天|年(?!级)|小时|分钟|秒|周(?!年)|星期|本|件|张|条|块|斤|公斤|千克|里|公里|"
    r"米|厘米|毫米|层|家|台|部|辆|座|种|份|杯|瓶|碗|人|名|口|双|对|套|场|点|万|亿|千|岁|元|篇|首|支|枝|盒|"
    r"袋|颗|粒|片|间|所|匹|头|棵|朵|幅|把|根|架|艘|遍|趟|回|倍|季|款|项|类|样|组|行|句|段|页|票|桶|箱|"
    r"包|道|门|节|届|轮|步|字|米|升|毫升|吨|克|平方|立方|英寸|英里|英尺|磅|美元|欧元|日元|港元|英镑|集|盘|"
    r"株|顿|滴|排|圈|代人|者|处|例|笔|封|刻|伏|瓦|安|兆|晚|夜|边|旁|侧|端|手|腿|眼|国|党|校|地|方面|半)"
)
_ENGLISH_NUMBER: Final = re.compile(r"[a-z ]+")


def cardinal(number: str, language: Language) -> str:
    """Return the words of an unsigned ``number`` such as "1,234", "0.50" or "007".

    Decimals are read digit by digit. So is a whole number with leading zeros, or with more digits
    than there are names for.
    """
    whole, _, decimals = number.replace(",", "").partition(".")
    words = _whole(whole or "0", language)
    if not decimals:
        return words
    point = "点" if language == "zh" else " point "
    return words + point + digits(decimals, language)


def count(number: str, counted: str) -> str:
    """Return a number in Mandarin before what it counts: 两个, but 二月 and 十二个."""
    if number == "2" and _COUNTED_BY_LIANG.match(counted):
        return "两"
    return cardinal(number, "zh")


def signed(number: str, language: Language) -> str:
    """Return the words of a ``number`` that may have a minus or plus sign before it."""
    sign, plain = (number[0], number[1:]) if number[:1] in "+-−" else ("", number)
    words = cardinal(plain.strip(), language)
    if sign in ("-", "−"):
        return f"负{words}" if language == "zh" else f"minus {words}"
    if sign == "+":
        return f"正{words}" if language == "zh" else f"plus {words}"
    return words


def digits(number: str, language: Language, *, one: str = "一") -> str:
    """Return ``number`` digit by digit; anything else in it is skipped.

    Args:
        number: digits with whatever separates them.
        language: of the words.
        one: how Mandarin says 1; "幺" in telephone numbers.
    """
    values = [int(char) for char in number if char.isdigit()]
    if language == "en":
        return " ".join(_EN_DIGITS[value] for value in values)
    return "".join(_ZH_DIGITS[value] for value in values).replace("一", one)


def ordinal(value: int) -> str:
    """Return the English ordinal: "twenty first"."""
    return _english(value, "ordinal")


def year(value: int) -> str:
    """Return a year in English: "nineteen ninety eight", "nineteen oh five"."""
    century, rest = divmod(value, 100)
    if 1000 <= value < 2000 or 2010 <= value < 10_000:
        if rest == 0:
            return _english(value) if value % 1000 == 0 else f"{_english(century)} hundred"
        second = f"oh {_english(rest)}" if rest < 10 else _english(rest)
        return f"{_english(century)} {second}"
    return _english(value)


def model_number(number: str, language: Language) -> str:
    """Return the number in a model's name: "forty ninety", "three eighty", 四零九零, 十五."""
    whole = int(number)
    if number.startswith("0") or len(number) > 4:
        return digits(number, language)
    if len(number) < 3 or (whole % 100 == 0 and (language == "zh" or whole % 1000 == 0)):
        return cardinal(number, language)
    if language == "zh":
        return digits(number, "zh")
    hundreds, rest = divmod(whole, 100)
    if hundreds % 10 == 0 and rest < 10:
        return _english(whole)
    if rest == 0:
        return f"{_english(hundreds)} hundred"
    return f"{_english(hundreds)} {'oh ' if rest < 10 else ''}{_english(rest)}"


def decade(century: int, tens: int) -> str:
    """Return ten years in English: "nineteen nineties"; without a century: "nineties"."""
    names = (
        "hundreds",
        "tens",
        "twenties",
        "thirties",
        "forties",
        "fifties",
        "sixties",
        "seventies",
        "eighties",
        "nineties",
    )
    if (century, tens) == (20, 0):
        return "two thousands"
    return f"{_english(century)} {names[tens]}" if century else names[tens]


def fraction(above: str, below: str, language: Language) -> str:
    """Return ``above`` over ``below``: 三分之二, "two thirds"."""
    if language == "zh":
        return f"{cardinal(below, 'zh')}分之{cardinal(above, 'zh')}"
    many = int(above) != 1
    if int(below) == 2:
        part = "halves" if many else "half"
    elif int(below) == 4:
        part = "quarters" if many else "quarter"
    else:
        part = ordinal(int(below)) + "s" * many
    return f"{cardinal(above, 'en')} {part}"


def roman(numeral: str) -> int | None:
    """Return the value of a well-formed Roman ``numeral`` in capitals; None for anything else."""
    well_formed = r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})"
    if not numeral or not re.fullmatch(well_formed, numeral):
        return None
    values = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}[c] for c in numeral]
    return sum(
        -value if value < max(values[place + 1 :], default=0) else value
        for place, value in enumerate(values)
    )


def _whole(number: str, language: Language) -> str:
    if len(number) > _MOST_DIGITS or (len(number) > 1 and number.startswith("0")):
        return digits(number, language)
    return _mandarin(int(number)) if language == "zh" else _english(int(number))


@lru_cache(maxsize=4096)
def _mandarin(value: int) -> str:
    from cn2an import an2cn

    words = str(an2cn(value))
    if not _MANDARIN_NUMBER.fullmatch(words):
        raise ReadingError("text.unread_number", number=value, words=words)
    return _BEGINS_WITH_TWO.sub("两", words)


@lru_cache(maxsize=4096)
def _english(value: int, form: str = "cardinal") -> str:
    from num2words import num2words

    words = " ".join(re.sub("[,-]", " ", num2words(value, to=form)).split())
    if not _ENGLISH_NUMBER.fullmatch(words):
        raise ReadingError("text.unread_number", number=value, words=words)
    return words
