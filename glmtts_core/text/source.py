"""A text in narrow writing, in which the rules look for things, and where each character came from.

Full-width letters, other scripts' digits, ligatures and the like are written in one way;
ideographs are simplified; what is invisible is gone. Knows nothing about how anything is read.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from glmtts_core.text.ideographs import simplified
from glmtts_core.text.script import HAN_RUN

#: One character with its accents, or an entity of HTML.
_CLUSTER: Final = re.compile(
    r"&(?:\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31}\d{0,2});|.[\u0300-\u036f]*", re.DOTALL
)
#: Shorter or plainer replacements, in addition to those of `unicodedata`.
_PLAIN: Final = {
    **{char: f"{unit}²" for char, unit in zip("㎟㎠㎡㎢", ("mm", "cm", "m", "km"), strict=True)},
    **{char: f"{unit}³" for char, unit in zip("㎣㎤㎥㎦", ("mm", "cm", "m", "km"), strict=True)},
    "℃": "°C", "℉": "°F", "￥": "¥", "～": "~", "〜": "~", "∼": "~", "⁓": "~", "−": "-", "﹣": "-",
    "－": "-", "\u2010": "-", "\u2011": "-", "\u2012": "–", "µ": "μ", "Ω": "Ω", "∶": ":",
    "\u2044": "/", "∕": "/", "·": "·",
    "″": "″", "‴": "‴", "・": "·", "•": "•", "…": "…", "⋯": "…", "‥": "…", "K": "K",
    "㎧": "m/s", "㎨": "m/s²", "㏄": "cc", "№": "No.", "℡": "TEL", "㏒": "log", "㎯": "rad/s²",
    "㎮": "rad/s", "∗": "*", "✕": "×", "✖": "×", "⨯": "×", "➕": "+", "➖": "-", "➗": "÷",
    "\u2028": "\n", "\u2029": "\n", "\x85": "\n", "\v": "\n", "\f": "\n", "\u00a0": " ",
    "\u200b": " ",
}  # fmt: skip
#: Chinese punctuation kept full-width: it sounds the same, and shows that the text is Chinese.
_WIDE_MARKS: Final = frozenset("！（），：；？")
#: Kinds of characters whose compatibility form is the same to a listener.
_SAME_HEARD: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Zs", "Po", "Ps", "Pe", "Pd", "Sc"})


@dataclass(frozen=True, slots=True)
class Source:
    """A text and its narrow form.

    Attributes:
        original: as it was typed.
        text: the narrow form.
        origins: for each character of `text` and for its end: where in `original` it begins.
            Characters that came from one have the same.
    """

    original: str
    text: str
    origins: tuple[int, ...]

    @classmethod
    def of(cls, original: str) -> Source:
        """Return the source of a text."""
        parts: list[str] = []
        origins: list[int] = []
        for match in _CLUSTER.finditer(original):
            part = _narrow(match.group())
            if part == match.group():
                origins += range(match.start(), match.end())
            else:
                before = parts[-1][-1:] if parts else ""
                part = f" {part}" if before.isdigit() and part[1:2] == "/" else part
                origins += [match.start()] * len(part)
            parts.append(part)
        return cls(original, _simple("".join(parts)), (*origins, len(original)))


def _simple(text: str) -> str:
    """Return ``text`` with simplified ideographs, one for each."""
    return HAN_RUN.sub(lambda run: _simple_run(run.group()), text)


def _simple_run(run: str) -> str:
    simple = simplified(run)
    if len(simple) == len(run):
        return simple
    # a phrase of another length would move every place behind it
    return "".join(map(simplified, run))


def _narrow(cluster: str) -> str:
    if cluster.isascii() and len(cluster) > 1:
        cluster = html.unescape(cluster)
    if cluster.isascii() or cluster in _PLAIN:
        return _PLAIN.get(cluster, cluster)
    if len(cluster) > 1:
        return unicodedata.normalize("NFC", cluster)
    category = unicodedata.category(cluster)
    if category == "Nd":
        return str(unicodedata.digit(cluster))
    if category in ("Cf", "Mn", "Me"):
        return ""
    return _compatible(cluster, category)


def _compatible(char: str, category: str) -> str:
    if char in _WIDE_MARKS:
        return char
    form = unicodedata.decomposition(char)
    if form.startswith(("<super>", "<sub>", "<circle>")) or not form:
        return char
    if form.startswith("<fraction>"):
        return unicodedata.normalize("NFKD", char).replace("\u2044", "/")
    if form.startswith("<square>") or "\uff00" <= char <= "\uff5e":
        return unicodedata.normalize("NFKC", char)
    return unicodedata.normalize("NFKC", char) if category in _SAME_HEARD else char
