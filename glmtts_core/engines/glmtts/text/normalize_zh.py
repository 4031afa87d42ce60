"""Chinese text as it is read aloud, in the way that the model was trained on.

Each rule stands where the reference has it, also where its outcome is odd: what the model reads
must look like what it learnt from.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from glmtts_core.engines.glmtts.text.marks import BRACKETS, PUNCTUATION, without
from glmtts_core.engines.glmtts.text.wetext_rules import apply_rules

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBER: Final = r"(-?\d+(?:\.\d+)?)"
_SCIENTIFIC: Final = re.compile(rf"{_NUMBER}\s*[*x×]\s*{_NUMBER}\s*\^\s*{_NUMBER}")
_DIGIT_NAMES: Final = "零一二三四五六七八九"
#: Names of the decimal places as the reference has them: 120000 reads 十万二万.
_PLACE_NAMES: Final = (
    *("", "十", "百", "千"),
    *("万", "十万", "百万", "千万"),
    *("亿", "十亿", "百亿", "千亿"),
    *("万亿", "十万亿", "百万亿", "千万亿"),
)

_MINUS: Final = re.compile(r"(?<=\d)(\s*)-(\s*)(?=\d)")
_FINAL_LO: Final = re.compile(rf"咯(?=[{re.escape(PUNCTUATION)}])")
_RARE: Final = str.maketrans({"噢": "哦", "欸": "诶"})

_LONE_E: Final = re.compile(r"(?<!\w)额(?!\w)")
_COUNTABLE: Final = "A-Za-z一二三四五六七八九十百千万亿"
_TIMES: Final = re.compile(rf"(?<=[{_COUNTABLE})])\s*\*\s*(?=[{_COUNTABLE}(])")

_DASH: Final = re.compile(r" - |——")
_PAUSES: Final = re.compile(r"[,:：;；、]+")
_STOPS: Final = re.compile(r"[.…]+")
_SILENT: Final = "_·'\"‘’“”|"
#: Symbols=how each of them is read.
_READINGS: Final = """
①=一 ②=二 ③=三 ④=四 ⑤=五 ⑥=六 ⑦=七 ⑧=八 ⑨=九 ⑩=十 †=， ²=平方 ³=立方 /=每
α=阿尔法 β=贝塔 γΓ=伽玛 δΔ△=德尔塔 ε=艾普西龙 ζ=捷塔 η=依塔 θΘ=西塔 ι=艾欧塔 κ=喀帕
λΛ=拉姆达 μ=缪 ν=拗 ξΞ=克西 ο=欧米克伦 πΠ=派 ρ=肉 ςΣσ=西格玛 τ=套 υ=宇普西龙
φΦ=服艾 χ=器 ψΨ=普赛 ωΩ=欧米伽 □=方框 >=大于 <=小于 ∈=属于 ∉⊄⊈=不属于 ∪=并 ∩=交
⊥=垂直 ∥=平行 ≠=不等于 ∵=因为 ∴=所以 ∅=空集 ⊂=真包含于 ⊃=包含 ⊆=包含于 ⊇=真包含 ⊅⊉=非超集
"""
_SYMBOLS: Final = str.maketrans(
    {
        symbol: reading
        for symbols, _, reading in (entry.partition("=") for entry in _READINGS.split())
        for symbol in symbols
    }
)


def normalize_zh(text: str) -> str:
    """Return Chinese ``text`` with numbers, units and symbols as words, in lower case."""
    text = _SCIENTIFIC.sub(_power, text, count=1)
    text = without(_MINUS.sub(r"\1减\2", text), "-")
    text = _FINAL_LO.sub("喽", text).translate(_RARE)
    text = without(apply_rules(_rules(), text), "\\")
    text = re.sub(r"[~～]+", "。", _LONE_E.sub("呃", text))
    text = without(_TIMES.sub("乘", text), "*").strip()
    text = _DASH.sub("，", without(text, BRACKETS))
    text = _STOPS.sub("。", _PAUSES.sub("，", text))
    return without(text, _SILENT).translate(_SYMBOLS).lower()


def _power(found: re.Match[str]) -> str:
    base, multiplier, exponent = (_spoken_number(each) for each in found.groups())
    return f"{base}乘{multiplier}的{exponent}次方"


def _spoken_number(number: str) -> str:
    whole, _, fraction = number.partition(".")
    value = int(whole)
    spoken = ("负" if value < 0 else "") + _spoken_integer(abs(value))
    if fraction.strip("0"):
        spoken += "点" + "".join(_DIGIT_NAMES[int(digit)] for digit in fraction)
    return spoken


def _spoken_integer(value: int) -> str:
    digits = str(value)
    if len(digits) > len(_PLACE_NAMES):
        # beyond the names that there are: digit by digit
        return "".join(_DIGIT_NAMES[int(digit)] for digit in digits)
    spoken = "".join(
        "零" if digit == "0" else _DIGIT_NAMES[int(digit)] + _PLACE_NAMES[place]
        for place, digit in zip(range(len(digits) - 1, -1, -1), digits, strict=True)
    )
    spoken = re.sub("零+", "零", spoken).rstrip("零") or "零"
    return spoken.removeprefix("一") if spoken.startswith("一十") else spoken


@cache
def _rules() -> Callable[[str], str]:
    from wetext import Normalizer  # loads every language's rules: seconds, tens of megabytes

    return Normalizer(  # type: ignore[no-any-return]
        lang="zh",
        full_to_half=True,
        traditional_to_simple=True,
        remove_erhua=False,
        remove_interjections=False,
    ).normalize
