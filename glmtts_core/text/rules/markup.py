"""Markup that was pasted along: it is not text, and what of it has letters is named as left out."""

from __future__ import annotations

import re
from typing import Final

from glmtts_core.text.rule import Found, Rule, rule

_ATTRIBUTE: Final = r"\s+[\w:.-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>]+)"
_EVENTS: Final = (
    "laughter|laughs?|laughing|chuckles?|giggles?|breath(?:ing)?|quick_breath|sighs?|coughs?|"
    "pause|silence|noise|music|applause|gasps?|sniffs?|cry(?:ing)?|sobs?|whispers?|hissing|"
    "accent|lipsmack|mn|vocalized-noise|clears? throat|uv_break|lbreak|[a-z]+_\\d+|"
    "笑声?|大笑|停顿|咳嗽|叹气|呼吸声?|掌声|音乐|沉默|哭泣?"
)
#: An address in a link of Markdown, with its title.
_TARGET: Final = r"<?[^()\s<>]+(?:\([^()\s]*\)[^()\s]*)?>?(?:\s+\"[^\"\n]*\")?"


def _nothing(_: Found) -> str:
    return " "


@rule(
    rf"<!--.*?-->|</?[A-Za-z][A-Za-z0-9:._-]*(?:{_ATTRIBUTE})*\s*/?>|<[!?][A-Za-z][^<>]*>",
    {
        '<speak>你好<break time="500ms"/>世界</speak>': "你好 世界",
        "<b>Hello</b> <i>world</i>": "Hello world",
    },
    outcome="left_out",
    flags=re.DOTALL,
)
def tag(found: Found) -> str:
    """A tag of SSML or HTML, or a comment."""
    return _nothing(found)


@rule(
    rf"<\|[^|<>\n]{{1,60}}\|>|\[(?:{_EVENTS})\]|\[/?[A-Z]{{1,3}}\d{{1,2}}\]"
    r"|\[/?(?:b|i|u|s|url|color|size|quote|code|img)(?:=[^\]\n]*)?\](?!\()",
    {"你好[laughter]再见": "你好 再见", "<|endofprompt|>好的": "好的", "[breath]好": "好"},
    outcome="left_out",
    flags=re.IGNORECASE,
)
def event(found: Found) -> str:
    """A sound or a turn that other models take as an instruction."""
    return _nothing(found)


@rule(
    r"(?:\d\d:)?\d\d:\d\d[,.]\d{3}(?:\s*-->\s*(?:\d\d:)?\d\d:\d\d[,.]\d{3})?"
    r"|\[\d{1,2}:\d\d(?:[.:]\d{2,3})?\]|\{\\[a-zA-Z][^{}\n]{0,60}\}|\x1b\[[0-9;]*[A-Za-z]",
    {"00:01:23,456 --> 00:01:25,000\n你好": "你好", "[00:12.34]歌词": "歌词"},
    outcome="left_out",
)
def code_of_a_subtitle(found: Found) -> str:
    """When a subtitle is shown and how, or a colour of a terminal."""
    return _nothing(found)


@rule(
    rf"\](?:\((?={_TARGET}\))|(?=\[[^\[\]\n]*\]))",
    {"![图片](a.png)完": "图片 完"},
    outcome="mark",
)
def end_of_a_link(found: Found) -> str:
    """The bracket behind a link's words."""
    return _nothing(found)


@rule(
    rf"(?<=\]\(){_TARGET}(?=\))|(?<=\])\[[^\[\]\n]*\]",
    {"请看 [说明](https://example.com/a)": "请看 说明", "[it](http://a.b/c_(d)) is": "it is"},
    outcome="left_out",
)
def target_of_a_link(found: Found) -> str:
    """Where a link of Markdown leads; its words are read."""
    return _nothing(found)


@rule(
    r"\)",
    {"[a](b) c": "a c"},
    outcome="mark",
)
def end_of_a_target(found: Found) -> str | None:
    """The bracket behind a link's target."""
    return " " if re.search(rf"\]\({_TARGET}$", found.before(400)) else None


@rule(
    r"\[\^[^\]\s]+\]:?|(?m:^)```+\w*(?=\s|$)|(?<!\w):[a-z][a-z_]+:(?!\w)",
    {"如此[^1]。": "如此。", "```python\nprint": "print", "好的 :smile:": "好的"},
    outcome="left_out",
    flags=re.MULTILINE,
)
def footnote_or_fence(found: Found) -> str:
    """A footnote's mark, the language of a block of code, or the name of an emoji."""
    return _nothing(found)


@rule(
    r"!?\[(?=[^\[\]\n]{1,300}\][(\[])",
    {"![图片](a.png)完": "图片 完"},
    outcome="mark",
)
def link_start(found: Found) -> str:
    """The bracket before a link's words."""
    return _nothing(found)


@rule(
    r"[ \t]*(?:#{1,6}(?=\s)|[-*+][ \t]+\[[ xX]\](?=\s)|[-*+](?=\s)|>+(?=\s)"
    r"|[-*_=~|: \t]{3,}(?=\n|$))",
    {"# 标题": "标题", "- one\n- two": "one\ntwo", "> 引用": "引用", "---\n好": "好"},
    outcome="mark",
)
def line_prefix(found: Found) -> str | None:
    """What Markdown has at the begin of a line: of a heading, a list's item, a quotation."""
    return " " if found.before(1) in ("", "\n") else None


@rule(
    r"\*{2,3}(?!\d)|~~|__+|``+|\\(?=[*_`#\[\]])|\\[nt](?![A-Za-z])",
    {"**重要**：请看": "重要：请看", "~~旧价~~新价": "旧价 新价"},
    outcome="mark",
)
def emphasis(found: Found) -> str:
    """Stars and the like around words."""
    return _nothing(found)


#: Before anything else is looked for.
MARKUP: Final[tuple[Rule, ...]] = (
    tag,
    event,
    code_of_a_subtitle,
    end_of_a_link,
    target_of_a_link,
    end_of_a_target,
    footnote_or_fence,
    link_start,
    line_prefix,
    emphasis,
)
