"""Pieces of patterns that several rules share.

Knows nothing about how anything is read.
"""

from __future__ import annotations

from typing import Final

from glmtts_core.text.script import LATIN

#: An unsigned number as people type it: with thousands commas or without, with decimals or without.
NUMBER: Final = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
#: No figure or decimal goes on here.
NUMBER_ENDS: Final = r"(?![\d.,:/-]?\d)"
#: No letter or figure goes on here.
WORD_ENDS: Final = rf"(?![{LATIN}\d])"
#: No letter or figure comes right before.
WORD_BEGINS: Final = rf"(?<![{LATIN}\d])"
#: Neither a letter nor any part of a number comes right before.
NUMBER_BEGINS: Final = rf"(?<![{LATIN}\d])(?<!\d[.,])"
#: A sign before a quantity.
SIGN: Final = r"[-+–]?\s?"
#: Not preceded by a letter, a digit, a decimal point, or a letter and a hyphen.
MEASURE_BEGINS: Final = r"(?<![A-Za-z\d.,])(?<![A-Za-z\d]-)"
LETTER: Final = f"[{LATIN}]"
#: What a number before it counts, which is therefore no year, code or name.
COUNTED: Final = "[个元块人件只次名台万亿米字毫克斤公里升吨平千卡度天小分秒页步点多余辆套户所]"
