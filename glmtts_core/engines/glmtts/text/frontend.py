"""Text as GLM-TTS wants it: normalised, then in pieces that it can speak in one go.

Knows nothing about tokens.
"""

from __future__ import annotations

import re
from typing import Final

import emoji

from glmtts_core.engines.glmtts.text.marks import PUNCTUATION, has_chinese, without
from glmtts_core.engines.glmtts.text.normalize_en import normalize_en
from glmtts_core.engines.glmtts.text.normalize_zh import normalize_zh
from glmtts_core.engines.glmtts.text.split_text import split_text

_LIST_NUMBER: Final = re.compile(r"\A(\d+)\. ")
_LINE_ENDS: Final = ".!?;:：。！？；，"
_HYPHEN: Final = re.compile(r"(?<=[A-Za-z])-(?=[A-Za-z])")

_MARK: Final = f"[{re.escape(PUNCTUATION)}]"
#: Space that separates nothing that needs it.
_IDLE_SPACE: Final = re.compile(r"(?<![A-Za-z0-9.,!?;:]) | (?![A-Za-z0-9])")
_REPEATED: Final = re.compile(rf"({_MARK})\1+")
_OVERRULED: Final = re.compile(rf"{_MARK}(?={_MARK})")


def normalize_text(text: str) -> str:
    """Return ``text`` as it is read aloud: words only, plain marks, one mark at the end.

    Chinese rules apply as soon as one common ideograph is there, English ones otherwise.
    """
    text = emoji.replace_emoji(_joined_lines(text))
    text = _HYPHEN.sub(" ", text)
    text = normalize_zh(text) if has_chinese(text) else normalize_en(text)
    return _with_end(_plain_marks(text))


def pieces_to_speak(text: str) -> list[str]:
    """Return the pieces of ``text``, each normalised, without those that hold nothing to say.

    The whole is normalised, split, and every piece normalised again: so does the reference, and a
    piece of its own may be of another language than the whole.
    """
    pieces = (normalize_text(piece) for piece in split_text(normalize_text(text)))
    return [piece for piece in pieces if any(char.isalnum() for char in piece)]


def _joined_lines(text: str) -> str:
    text = _LIST_NUMBER.sub(r"\1。", text).replace("\\n", "\n")
    lines = [line for line in map(str.strip, text.split("\n")) if line]
    ended = [line if line[-1] in _LINE_ENDS else line + _line_end(line) for line in lines]
    joined = "".join(ended)
    return joined if has_chinese(joined) else " ".join(ended)


def _line_end(line: str) -> str:
    return "。" if has_chinese(line) else ". "


def _plain_marks(text: str) -> str:
    text = _IDLE_SPACE.sub("", re.sub(r"\s+", " ", text))
    text = _OVERRULED.sub("", _REPEATED.sub(r"\1", text))
    return without(text, "#").replace("！", "。").replace("!", ".")


def _with_end(text: str) -> str:
    if text.endswith(("?", "？")):
        return text
    if text.endswith(tuple(PUNCTUATION)):
        text = text[:-1]
    return text + ("。" if has_chinese(text) else ".")
