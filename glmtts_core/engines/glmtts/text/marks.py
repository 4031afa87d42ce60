"""The characters that the text rules of GLM-TTS share."""

from __future__ import annotations

import re
from typing import Final

#: Marks that end or divide a sentence, Chinese and Latin.
PUNCTUATION: Final = "。？！；：、.?!;:，,"
#: Marks that are not read: brackets of every kind, single quotation marks and the backtick.
BRACKETS: Final = "()（）【】「」《》『』{}[]‘’`"
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")


def has_chinese(text: str) -> bool:
    """Return whether a common ideograph is among the characters."""
    return _CHINESE.search(text) is not None


def without(text: str, dropped: str) -> str:
    """Return ``text`` without any of the characters of ``dropped``."""
    return text.translate(dict.fromkeys(map(ord, dropped)))
