"""Which characters can be spoken, and which stretch of a text is Mandarin and which English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from glmtts_core.catalogue import Language

#: Ideographs: the unified blocks with their extensions, compatibility forms, and the zero 〇.
HAN: Final = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
#: Latin letters, with accents.
LATIN: Final = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"

#: Marks that mean something to a normaliser or to the rhythm; all others are dropped.
_MARKS: Final = frozenset(
    ",.!?;:'\"()[]-/+=%$&@#<>~，。！？；：、（）《》〈〉「」『』【】“”‘’…—–·～￥¥€£℃℉°×÷≥≤²³"
)
#: What is not said: neither ideograph nor Latin letter, blank or mark.
_UNSPOKEN: Final = re.compile(rf"[^{HAN}{LATIN}\s{re.escape(''.join(sorted(_MARKS)))}]")
_SPOKEN: Final = re.compile(rf"[{HAN}{LATIN}\d]")
#: Full-width forms whose narrow twin means the same to a reader; Chinese punctuation stays.
_NARROW: Final = {
    code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in "！（），：；？～"
} | {0x3000: " ", 0xFF0E: ".", 0x2044: "/"}

#: Fractions of one character, and the two numbers that they stand for.
_FRACTIONS: Final = {
    char: unicodedata.normalize("NFKD", char).replace("\u2044", "/")
    for char in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞↉"
}
_FRACTION: Final = re.compile(f"[{''.join(_FRACTIONS)}]")
#: A letter, figure or sign of another script: what a reader would have said, unlike decoration.
_MEANT: Final = frozenset({"Lu", "Ll", "Lt", "Lo", "Lm", "Nd", "Nl", "No", "Sm", "Sc"})

#: Units that the Mandarin normaliser reads out: "5kg" inside Chinese text is 五千克.
_UNIT: Final = r"(?:km/h|m/s|kwh|kw|km|cm|mm|nm|kg|mg|ml|hz|mhz|ghz|db|°C|g|m|l|s|h|w|v)"
#: "1990s", which is ten years and not so many seconds.
_DECADE: Final = rf"(?:1[1-9]|20)\d0['’]?s(?![{LATIN}\d])"
_NUMBER: Final = rf"(?:{_DECADE}|\d+(?:[.,:/-]\d+)*(?:st\b|nd\b|rd\b|th\b|%)?)"
_TOKEN: Final = re.compile(
    rf"(?P<han>[{HAN}]+)"
    rf"|(?P<measure>(?:{_NUMBER}\s?[~～]\s?)?(?!{_DECADE})\d[\d.,]*\s?{_UNIT}(?:²|³)?(?![{LATIN}\d/]))"
    rf"|(?P<latin>[{LATIN}](?:[{LATIN}\d'’&@]|[-.](?=[{LATIN}\d]))*)"
    rf"|(?P<number>{_NUMBER}(?:\s?[~～]\s?[-+]?{_NUMBER})?)"
    r"|(?P<mark>.)",
    re.DOTALL | re.IGNORECASE,
)
#: Marks that belong to what follows them.
_OPENING: Final = frozenset("([<《〈「『【“‘￥¥$€£#@+-")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one language, with its punctuation."""

    text: str
    language: Language


def speakable(text: str) -> str:
    """Return ``text`` without what no voice here can say; empty when nothing is left to speak.

    Full-width letters and digits become narrow, digits of other scripts become 0 to 9, ½ becomes
    1/2, and characters of other scripts, emoji and decoration make room for a space.
    """
    narrow = _FRACTION.sub(_fraction, _narrow(text))
    kept = _UNSPOKEN.sub(_digit_or_blank, narrow)
    kept = re.sub(r"[^\S\n]+", " ", kept).strip()
    return kept if _SPOKEN.search(kept) else ""


def left_out(text: str) -> list[str]:
    """Return the letters, figures and signs of ``text`` that no voice here can say, each once.

    Emoji and decoration are not among them: nobody expects to hear those.
    """
    found = _UNSPOKEN.findall(_FRACTION.sub("", _narrow(text)))
    return [
        char
        for char in dict.fromkeys(found)
        if unicodedata.category(char) in _MEANT and unicodedata.digit(char, None) is None
    ]


def _narrow(text: str) -> str:
    return unicodedata.normalize("NFC", text).translate(_NARROW)


def _fraction(match: re.Match[str]) -> str:
    """Return "1/2" for ½, apart from the number that it may stand beside."""
    before = match.string[match.start() - 1 : match.start()]
    after = match.string[match.end() : match.end() + 1]
    return " " * before.isnumeric() + _FRACTIONS[match.group()] + " " * after.isdigit()


def _digit_or_blank(match: re.Match[str]) -> str:
    value = unicodedata.digit(match.group(), None)
    return " " if value is None else str(value)


def main_language(text: str, default: Language = "zh") -> Language:
    """Return the language of a text: Mandarin as soon as it has an ideograph."""
    if re.search(rf"[{HAN}]", text):
        return "zh"
    return "en" if re.search(rf"[{LATIN}]", text) else default


def runs(text: str, default: Language = "zh") -> list[Run]:
    """Split a text where its language changes; joined again, the runs give the text unchanged.

    Digits go with the ideograph after them, else with the Latin word before them ("iPhone 15"),
    else with what precedes. Marks stay with the word before them, opening ones with the next.

    Args:
        text: what `speakable` returned.
        default: language of a text that has neither ideographs nor letters.
    """
    if not text:
        return []
    tokens = [(match.lastgroup or "mark", match.group()) for match in _TOKEN.finditer(text)]
    languages = _without_gaps(_languages_of(tokens, default), tokens, default)
    pairs = zip(languages, (part for _, part in tokens), strict=True)
    return [
        Run("".join(part for _, part in group), language)
        for language, group in groupby(pairs, key=lambda pair: pair[0])
    ]


def _languages_of(tokens: list[tuple[str, str]], default: Language) -> list[Language | None]:
    """Return the language of each word and number; None for marks."""
    words: dict[str, Language] = {"han": "zh", "latin": "en"}
    # without an ideograph in sight a unit is an English one
    measure: Language = "zh" if any(kind == "han" for kind, _ in tokens) else "en"
    found: list[Language | None] = []
    before: Language | None = None
    for position, (kind, _) in enumerate(tokens):
        language = words.get(kind)
        if kind == "measure":
            language = measure
        elif kind == "number":
            language = _language_of_number(position, before, tokens) or default
        before = language or before
        found.append(language)
    return found


def _language_of_number(
    position: int, before: Language | None, tokens: list[tuple[str, str]]
) -> Language | None:
    after = next(_words_after(position, tokens), None)
    if after is not None and after[0] == "han" and after[1]:
        return "zh"
    if before is not None:
        return before
    if after is None:
        return None
    return "zh" if after[0] == "han" else "en"


def _words_after(position: int, tokens: list[tuple[str, str]]) -> Iterator[tuple[str, bool]]:
    """Yield (kind, stands right beside the number) of the words that follow."""
    beside = True
    for kind, part in tokens[position + 1 :]:
        if kind in ("han", "latin"):
            yield kind, beside
        elif not part.isspace():
            beside = False


def _without_gaps(
    languages: list[Language | None], tokens: list[tuple[str, str]], default: Language
) -> list[Language]:
    """Give every mark the language of its neighbour."""
    following: list[Language | None] = []
    after: Language | None = None
    for language in reversed(languages):
        after = language or after
        following.append(after)
    following.reverse()
    filled: list[Language] = []
    before: Language | None = None
    for language, (_, part), ahead in zip(languages, tokens, following, strict=True):
        joins = ahead if part in _OPENING else before
        chosen = language or joins or ahead or before or default
        filled.append(chosen)
        before = chosen
    return filled
