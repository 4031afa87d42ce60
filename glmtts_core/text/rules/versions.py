"""Versions and names of models: v2.0.1, Qwen2.5-7B, 802.11ax, RTX 4090."""

from __future__ import annotations

import re
from typing import Final

from glmtts_core.catalogue import Language
from glmtts_core.text.numerals import cardinal, digits, model_number, year
from glmtts_core.text.patterns import NUMBER, NUMBER_BEGINS, WORD_BEGINS
from glmtts_core.text.rule import Found, Rule, rule

_POINT: Final[dict[Language, str]] = {"zh": "点", "en": " point "}
#: Names after which three or four figures are a model's number.
_BRAND: Final = re.compile(
    rf"(?:{WORD_BEGINS}[A-Z]{{2,}}[a-z]?|{WORD_BEGINS}(?:Boeing|Airbus|Office|Windows|Ryzen|Core|Galaxy|Xeon|"
    r"Arc|Radeon|GeForce|Nokia|Canon|Sony|Model|Porsche|Peugeot|Adreno|Snapdragon|Kirin|"
    r"Quadro|Titan)|(?:波音|空客|麒麟|骁龙|标致|锐龙|酷睿))[ -]?$"
)
#: Who sets standards, in front of a standard's number.
_STANDARD: Final = re.compile(
    rf"{WORD_BEGINS}(?:GB(?:/T|/Z)?|[A-Z]{{2}}/T|ISO(?:/IEC)?|IEC|DIN|EN|JIS|ANSI|BS|ASTM|JJG)"
    r"[ -]?$"
)


def dotted(number: str, language: Language) -> str:
    """Return a version: its first part as a number, the others figure by figure."""
    first, *others = number.split(".")
    words = [model_number(first, language), *(digits(part, language) for part in others)]
    return _POINT[language].join(words)


@rule(
    r"(?<![A-Za-z\d])([vV])(?:er)?\.?\s?(\d+(?:\.\d+)*)(?!\.?\d|[A-Za-z]|-[A-Za-z])",
    {
        "软件版本v2.0.1已发布。": "软件版本v 二点零点一已发布。",
        "v1.0 is out": "v one point zero is out",
    },
)
def version_after_its_letter(found: Found) -> str:
    """v2.0.1."""
    return f"{found[1]} {dotted(found[2], found.language)}"


@rule(
    rf"{NUMBER_BEGINS}\d+(?:\.\d+){{2,}}(?![A-Za-z\d]|-[A-Za-z])",
    {"version 2.4.1": "version two point four point one", "升级到17.5.1": "升级到十七点五点一"},
)
def version_with_points(found: Found) -> str:
    """Two points or more."""
    return dotted(found[0], found.language)


@rule(
    r"(?<![A-Za-z\d])(?=[A-Za-z\d.\-]{0,60}\d)(?=[\d.\-]{0,60}[A-Za-z])(?:[A-Za-z]+|\d+)(?:[.-]?(?:[A-Za-z]+|\d+)){1,30}\+?(?![A-Za-z\d])",
    {
        "Qwen2.5-7B模型": "Qwen 二点五 七 B模型",
        "支持802.11ax": "支持八零二点一一 ax",
        "The A380 is big.": "The A three eighty is big.",
        "GPT-4o很强": "GPT 四 o很强",
        "买iPhone15Pro256G": "买iPhone 十五 Pro 二百五十六 G",
        "Llama-3.1-8B": "Llama three point one eight B",
    },
    flags=re.ASCII,
)
def name_of_a_model(found: Found) -> str:
    """Letters and figures in one word."""
    parts = re.findall(r"[A-Za-z]+|\d+(?:\.\d+)*|[.+]", found[0])
    words: list[str] = []
    for part, behind in zip(parts, [*parts[1:], ""], strict=True):
        if part.isdigit() and behind in ("G", "GB", "TB", "T") and part[0] != "0":
            words.append(cardinal(part, found.language))
        elif part[0].isdigit():
            words.append(_number(part, found.language))
        elif part == ".":
            words.append("点" if found.mandarin else "point")
        else:
            words.append("plus" if part == "+" else part)
    return " ".join(words)


def _number(part: str, language: Language) -> str:
    return dotted(part, language) if "." in part else model_number(part, language)


@rule(
    rf"{NUMBER_BEGINS}(\d{{3,5}})(?:-(\d{{1,4}}))?(?![\d%]|[.,:/-]\d)",
    {
        "RTX 4090显卡": "RTX 四零九零显卡",
        "Boeing 747": "Boeing seven forty seven",
        "我买了RTX 4090，他坐波音737": "我买了RTX 四零九零，他坐波音七三七",
        "the Boeing 747-8": "the Boeing seven forty seven eight",
    },
)
def model_code(found: Found) -> str | None:
    """Figures behind a brand's name."""
    if not _BRAND.search(found.before(14)) or re.match(
        r"\s?[个元块人次名万亿件台辆]", found.after(2)
    ):
        return None
    if found[2] and not re.search("(?:Boeing|Airbus|波音|空客) ?$", found.before(7)):
        return None
    parts = (found[1], found[2]) if found[2] else (found[1],)
    return " ".join(model_number(part, found.language) for part in parts)


@rule(
    rf"{NUMBER_BEGINS}(\d{{1,6}})(?:[.-](\d{{1,3}}))?(?:[-:—]((?:19|20)\d\d))?(?![\d%]|[.,:/-]\d)",
    {
        "符合GB/T 7714-2015": "符合GB T 七七一四二零一五",
        "ISO 9001:2015 is new": "ISO nine thousand and one twenty fifteen is new",
    },
)
def standard_number(found: Found) -> str | None:
    """Figures and a year behind the name of who sets standards."""
    if not _STANDARD.search(found.before(9)):
        return None
    if found.mandarin:
        parts = [digits(part, "zh") for part in (found[1], found[2]) if part]
        return "点".join(parts) + digits(found[3], "zh")
    parts = [model_number(part, "en") for part in (found[1], found[2]) if part]
    return " point ".join(parts) + (f" {year(int(found[3]))}" if found[3] else "")


@rule(
    rf"{NUMBER_BEGINS}(\d{{3,4}})([pPiK])(?![A-Za-z\d])",
    {"1080p视频": "一零八零 p视频"},
)
def lines_of_a_picture(found: Found) -> str:
    """1080p."""
    return f"{model_number(found[1], found.language)} {found[2]}"


@rule(
    rf"{NUMBER_BEGINS}({NUMBER})([A-Za-z])(?![A-Za-z\d])",
    {"16G内存": "十六 G内存", "5G网络": "五 G网络"},
)
def number_before_a_letter(found: Found) -> str:
    """16G, 4K: a number and a letter that is no unit."""
    if re.fullmatch(r"\d{3,}\.\d{2,}", found[1]):
        return f"{dotted(found[1], found.language)} {found[2]}"
    return f"{cardinal(found[1], found.language)} {found[2]}"


VERSIONS: Final[tuple[Rule, ...]] = (
    version_after_its_letter,
    version_with_points,
    lines_of_a_picture,
    number_before_a_letter,
    name_of_a_model,
)
