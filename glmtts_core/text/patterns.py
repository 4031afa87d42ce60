"""Pieces of patterns that several rules share.

Knows nothing about how anything is read.
"""

from __future__ import annotations

from typing import Final

from glmtts_core.text.script import HAN, LATIN

#: An unsigned number as people type it: with thousands commas or without, with decimals or without.
NUMBER: Final = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
#: A number that may be below zero.
SIGNED: Final = rf"[-+–]?{NUMBER}"
#: What stands between the ends of a range.
TO: Final = r"\s?(?:--?|[–—~至到]|to)\s?"
#: No figure or decimal goes on here.
NUMBER_ENDS: Final = r"(?![\d.,:/-]?\d)"
#: No letter or figure goes on here.
WORD_ENDS: Final = rf"(?![{LATIN}\d])"
#: No letter or figure comes right before.
WORD_BEGINS: Final = rf"(?<![{LATIN}\d])"
#: Neither a letter nor any part of a number comes right before.
NUMBER_BEGINS: Final = rf"(?<![{LATIN}\d])(?<!\d[.,])"
LETTER: Final = f"[{LATIN}]"
IDEOGRAPH: Final = f"[{HAN}]"
