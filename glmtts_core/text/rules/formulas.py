"""Signs of arithmetic, comparison and the like, powers, Greek letters, and signs in names."""

from __future__ import annotations

import re
from typing import Final

from glmtts_core.text.numerals import cardinal, signed
from glmtts_core.text.patterns import LETTER, NUMBER
from glmtts_core.text.rule import Found, Rule, rule

#: Words of a sign in Mandarin and in English.
_WORDS: Final = {
    "+": ("加", "plus"), "-": ("减", "minus"), "–": ("减", "minus"), "×": ("乘", "times"),
    "*": ("乘", "times"), "÷": ("除以", "divided by"), "/": ("除以", "divided by"),
    "=": ("等于", "equals"), "==": ("等于", "equals"), "≠": ("不等于", "is not equal to"),
    "!=": ("不等于", "is not equal to"), "≈": ("约等于", "is approximately equal to"),
    "<": ("小于", "less than"), ">": ("大于", "greater than"),
    "≤": ("小于等于", "less than or equal to"), "≥": ("大于等于", "greater than or equal to"),
    "<=": ("小于等于", "less than or equal to"), ">=": ("大于等于", "greater than or equal to"),
    "≪": ("远小于", "much less than"), "≫": ("远大于", "much greater than"),
    "±": ("正负", "plus or minus"), "√": ("根号", "the square root of"),
    "∞": ("无穷大", "infinity"),
    "∑": ("求和", "the sum of"), "∈": ("属于", "in"), "∪": ("并", "union"),
    "∩": ("交", "intersection"),
    "∠": ("角", "angle"), "⊥": ("垂直于", "perpendicular to"), "∥": ("平行于", "parallel to"),
    "△": ("三角形", "triangle"), "∴": ("所以", "therefore"), "∵": ("因为", "because"),
    "≡": ("恒等于", "is identical to"), "∝": ("正比于", "is proportional to"),
    "∂": ("偏", "partial"),
    "∫": ("积分", "the integral of"), "⇒": ("推出", "implies"), "§": ("节", "section"),
    "©": ("版权所有", "copyright"), "№": ("号", "number"),
}  # fmt: skip
_GREEK: Final = {
    "α": ("阿尔法", "alpha"), "β": ("贝塔", "beta"), "γ": ("伽马", "gamma"),
    "δ": ("德尔塔", "delta"),
    "ε": ("艾普西隆", "epsilon"), "ζ": ("泽塔", "zeta"), "η": ("伊塔", "eta"),
    "θ": ("西塔", "theta"),
    "ι": ("约塔", "iota"), "κ": ("卡帕", "kappa"), "λ": ("兰姆达", "lambda"), "μ": ("缪", "mu"),
    "ν": ("纽", "nu"), "ξ": ("克西", "xi"), "π": ("派", "pi"), "ρ": ("柔", "rho"),
    "σ": ("西格马", "sigma"), "τ": ("陶", "tau"), "φ": ("斐", "phi"), "χ": ("卡伊", "chi"),
    "ψ": ("普西", "psi"), "ω": ("欧米伽", "omega"), "υ": ("宇普西隆", "upsilon"),
}  # fmt: skip
_RAISED: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_LOWERED: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
#: Where an operand ends and where one begins. A letter alone is a variable.
_OPERAND_ENDS: Final = re.compile(rf"(?:[\d%°²³⁰-⁹₀-₉)\]}}πθαβγλσω)]|(?<!{LETTER}){LETTER})\s?$")
_OPERAND: Final = rf"\s?[-+–±√]?(?:[\d(\[√πθαβγλσω（∞.|]|{LETTER}(?!{LETTER}))"


def _said(found: Found, sign: str) -> str:
    zh, en = _WORDS[sign]
    return zh if found.mandarin else f" {en} "


@rule(
    r"(?<![A-Za-z\d])([A-Za-z](?:[a-z]*(?=\+\+))?|Notepad|TypeScript|Objective-C)(\+\+|#)(?![A-Za-z\d#])",
    {"C++和C#语言": "C plus plus和C sharp语言", "I know F#.": "I know F sharp."},
)
def programming_language(found: Found) -> str | None:
    """C++ and C#."""
    return f"{found[1]} {'plus plus' if found[2] == '++' else 'sharp'}"


@rule(
    rf"(?:\^|\*\*)\s?([-+–]?{NUMBER}|[A-Za-z](?!{LETTER})|\(([-+–]?{NUMBER})\)|\{{([-+–]?\d+)\}})|([⁻⁺]?[⁰¹²³⁴-⁹ⁿ]+)",
    {
        "2^10=1024": "二的十次方等于一千零二十四",
        "x² + y² = z²": "x squared plus y squared equals z squared",
        "10⁻³米": "十的负三次方米",
    },
)
def power(found: Found) -> str | None:
    """A raised number, or one behind ^."""
    if not re.search(rf"[\d{LETTER[1:-1]})）πθλω]$", found.before(1)):
        return None
    raised = (found[2] or found[3] or found[1] or found[4]).translate(_RAISED)
    if raised == "2":
        return "的平方" if found.mandarin else " squared "
    if raised == "3":
        return "的立方" if found.mandarin else " cubed "
    exponent = signed(raised, found.language) if raised[-1].isdigit() else raised
    return f"的{exponent}次方" if found.mandarin else f" to the power of {exponent} "


@rule(
    rf"(?<={LETTER})([¹²³⁴-⁹]?)([⁺⁻])(?![⁰-⁹¹²³])|(?<=[₀-₉])([¹²³⁴-⁹]?)([⁺⁻])",
    {"Fe³⁺离子": "Fe 三正离子", "the Na⁺ ion": "the Na plus ion"},
)
def charge(found: Found) -> str:
    """How an ion is charged."""
    count = (found[1] or found[3]).translate(_RAISED)
    plus = (found[2] or found[4]) == "⁺"
    number = f"{cardinal(count, found.language)}" if count else ""
    if found.mandarin:
        return f" {number}{'正' if plus else '负'}"
    return f" {number} {'plus' if plus else 'minus'}".replace("  ", " ")


@rule(
    r"[xX](?=\s?\d)",
    {"算式5 x 3 = 15": "算式五 乘 三 等于 十五"},
)
def x_as_times(found: Found) -> str | None:
    """An x between two numbers of a formula."""
    before = re.search(r"\d\s?$", found.before(2))
    return _said(found, "×") if before and found.context.in_formula(*found.match.span()) else None


@rule(
    r"(?<=A)\*(?=\s?(?:算法|搜索|寻路|search|algorithm))",
    {"A*算法": "A星算法", "the A* search": "the A star search"},
)
def star_of_a_name(found: Found) -> str:
    """A*."""
    return "星" if found.mandarin else " star"


@rule(
    "[₀-₉]+",
    {"CO₂排放": "CO 二 排放", "H₂O is": "H two O is"},
)
def subscript(found: Found) -> str:
    """A number of a formula in chemistry."""
    return f" {cardinal(found[0].translate(_LOWERED), found.language)} "


@rule(
    rf"\s?(==|!=|<=|>=|[=≠≈<>≤≥≪≫≡∝∈⊥∥∪∩×÷]|\+|(?<!-)[-–](?![->])|\*(?!\*)|/(?!/))(?={_OPERAND})",
    {
        "3*4=12": "三乘四等于十二",
        "2+3=5，5-3=2": "二加三等于五，五减三等于二",
        "10÷2": "十除以二",
        "5cm×3": "五厘米乘三",
        "y = 2x + 1": "y equals two x plus one",
    },
)
def operator(found: Found) -> str | None:
    """A sign of arithmetic or comparison between two operands."""
    sign = found[1]
    before = found.before(6)
    plain = sign in ("-", "–", "/", "*")
    if not _OPERAND_ENDS.search(before):
        unit = sign in "×÷=≠≈≤≥<>+" and re.search(
            rf"\d\s?{LETTER}{{1,4}}\s?$|[\u4e00-\u9fff]$", before
        )
        if not unit:
            return None
    letters = not re.search(r"[\d)²³%]\s?$", before) and not re.match(
        r"\s?[-+±√(]?[\d(]", found.after(3)
    )
    within = found.context.in_formula(*found.match.span())
    if plain and not within:
        spaced = before.endswith(" ") and found.after(1) == " "
        if letters or sign == "/" or not (spaced or sign == "*" or found.mandarin):
            return None
    return _said(found, sign)


@rule(
    r"\s?([=≠≈<>≤≥]|<=|>=)(?=\s?[-+±¥$]?\d)",
    {"<5%的人": "小于百分之五的人", ">3": "大于三"},
)
def comparison(found: Found) -> str:
    """A sign of comparison before a number."""
    return _said(found, found[1])


@rule(
    r"±(?=\s?\d)|√(?=[\d(A-Za-z])|[∞∑∈∠⊥∥△∴∵≡∝∂∫⇒§©](?=.)|[≠≈≤≥≪≫±∞]",
    {"误差±0.5mm": "误差正负零点五毫米", "√9=3": "根号九等于三"},
    flags=re.DOTALL,
)
def sign_of_mathematics(found: Found) -> str:
    """A sign with one meaning."""
    return _said(found, found[0])


@rule(
    r"\+(?=\s|$|[，。！？,.!?）)、/的])|\s?\+\s?(?=[A-Za-z\u4e00-\u9fff\d(（])",
    {
        "AI+教育": "AI加教育",
        "拿了A+": "拿了A plus",
        "3+的评分": "三加的评分",
        "90% + bonus": "ninety percent plus bonus",
    },
)
def plus_between_words(found: Found) -> str | None:
    """A plus behind a grade or a name, or between two words."""
    before = found.before(2).rstrip()[-1:]
    if not re.match(rf"{LETTER}|[\d)）%₀-₉⁺⁻\u4e00-\u9fff]", before):
        return None
    if re.match(LETTER, before) and re.match(r"\s|$|[，。！？,.!?）)、/的]", found.after(1)):
        return " plus "
    return _said(found, "+")


@rule(
    r"\s?=\s?(?=\S)",
    {"速度=路程÷时间": "速度等于路程除以时间"},
)
def equals_between_words(found: Found) -> str | None:
    """An equals sign between two words."""
    if not re.match(rf"{LETTER}|[\d)）\u4e00-\u9fff%]", found.before(1)):
        return None
    if not re.match(rf"{LETTER}|[\d(（\u4e00-\u9fff-]", found.after(1)):
        return None
    return _said(found, "=")


@rule(
    r"\s?[×÷]\s?(?=\S)",
    {"长×宽": "长乘宽"},
)
def times_between_words(found: Found) -> str | None:
    """A sign of multiplication or division between two words."""
    if not re.match(rf"{LETTER}|[\d)）\u4e00-\u9fff%]", found.before(1)):
        return None
    return _said(found, found[0].strip())


@rule(
    r"\s?&+\s?",
    {"R&D部门": "R and D部门", "A & B": "A and B", "你&我": "你和我"},
)
def and_sign(found: Found) -> str:
    """An ampersand."""
    beside = re.search(rf"{LETTER}$", found.before(1)) or re.match(LETTER, found.after(1))
    return " and " if beside or not found.mandarin else "和"


@rule(
    r"\s?@\s?(?=[\w\u4e00-\u9fff])",
    {"请@张三": "请艾特张三", "meet @ noon": "meet at noon"},
)
def at_sign(found: Found) -> str:
    """An at sign before a word."""
    return "艾特" if found.mandarin else " at "


@rule(
    r"(?<=[(（\[])([%‰])(?=[)）\]])",
    {"增长率(%)": "增长率(百分号)"},
)
def sign_of_percent(found: Found) -> str:
    """A percent sign alone in brackets: the unit of a column."""
    return "百分号" if found.mandarin else "percent"


@rule(
    "[α-ωΑ-ΡΣ-Ω](?![α-ωΑ-Ωά-ώ])",
    {"α粒子": "阿尔法粒子", "the angle θ": "the angle theta"},
)
def greek_letter(found: Found) -> str | None:
    """A Greek letter alone; a Greek word is left out."""
    if re.search("[α-ωΑ-Ωά-ώ]$", found.before(1)):
        return None
    words = _GREEK.get(found[0].lower())
    if words is None:
        return None
    return words[0] if found.mandarin else f" {words[1]} "


FORMULAS: Final[tuple[Rule, ...]] = (
    charge,
    power,
    subscript,
    x_as_times,
    star_of_a_name,
    operator,
    comparison,
    sign_of_mathematics,
    plus_between_words,
    equals_between_words,
    times_between_words,
    and_sign,
    at_sign,
    sign_of_percent,
    greek_letter,
)
