"""Ideographs in their simplified form, and which of them have no reading.

Knows nothing about how a character is read in its word.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opencc import OpenCC

#: Corrections to OpenCC: words it must not change, and characters it misses.
_KEPT: Final = ("土著", "原著", "著者", "编著", "遗著", "拙著", "藉藉", "狼藉")
_FIRST: Final = {"甚么": "什么", "甚麼": "什么", "衞": "卫", "〇": "零", "妳": "你"}
_KEPT_WORD: Final = re.compile("|".join(_KEPT))
#: 著 as a particle after a verb; OpenCC may take it for the start of the next word.
_PARTICLE: Final = re.compile(
    "(?<=[看聽听說说拿帶带想坐站躺走跑笑哭等抱穿吃喝寫写讀读唱望盯跟沿隨随順顺朝向對对拉推握提背扛舉举捧忙睡活過过接有])"
    "著(?!作|名|稱|称|述)"
)
#: The code point of an entry in pypinyin's file of characters.
_ENTRY: Final = re.compile(rb'"(\d+)"')


def simplified(text: str) -> str:
    """Return ``text`` in simplified characters as they are written on the mainland."""
    text = _PARTICLE.sub("着", text)
    for form, other in _FIRST.items():
        text = text.replace(form, other)
    found: list[str] = []
    start = 0
    for match in _KEPT_WORD.finditer(text):
        found += [_converter().convert(text[start : match.start()]), match.group()]
        start = match.end()
    return "".join((*found, _converter().convert(text[start:])))


def without_reading(text: str) -> str:
    """Return the characters of a simplified ``text`` without a reading, each once."""
    return "".join(char for char in dict.fromkeys(text) if not _has_reading(char))


def _has_reading(char: str) -> bool:
    known = _readable()
    return ord(char) < len(known) and bool(known[ord(char)])


@cache
def _converter() -> OpenCC:
    from opencc import OpenCC

    return OpenCC("tw2s")


@cache
def _readable() -> bytes:
    """Return 1 for each code point that pypinyin has an entry for, else 0."""
    # importing pypinyin takes 55 MiB, which the process of the pages can do without
    package = find_spec("pypinyin")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("pypinyin", name="pypinyin")
    entries = Path(package.origin).with_name("pinyin_dict.json").read_bytes()
    codes = [int(code) for code in _ENTRY.findall(entries)]
    known = bytearray(max(codes) + 1)
    for code in codes:
        known[code] = 1
    return bytes(known)
