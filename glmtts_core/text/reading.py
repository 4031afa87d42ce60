"""How a text is read aloud: every part of it becomes words, a mark, or is named as left out.

The one stage before every engine. Knows nothing about sounds and nothing about engines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from glmtts_core.catalogue import Language
from glmtts_core.text.context import Context
from glmtts_core.text.ideographs import without_reading
from glmtts_core.text.patterns import WORD_ENDS
from glmtts_core.text.rule import Found, Outcome
from glmtts_core.text.rules import RULES
from glmtts_core.text.rules.days import DAY, SHORT_MONTHS
from glmtts_core.text.script import HAN, HAN_RUN, LATIN
from glmtts_core.text.source import Source

#: A word that no rule looks at; short months and days of the week are looked at.
_PLAIN_WORD: Final = re.compile(
    rf"(?!(?:{'|'.join(SHORT_MONTHS)}|{DAY}|[Ee]tc|Jr|Sr){WORD_ENDS})"
    r"(?:[A-Z][a-z]+|[a-z]{2,})(?:['’][a-z]+)?(?=[ ,!?，。！？\n]|$)"
)
_WORD: Final = re.compile(rf"[{LATIN}]+(?:['’][{LATIN}]+)*")
_SPACE: Final = re.compile(r"\s+")
#: Categories of Unicode whose characters are only seen, not heard.
_SEEN: Final = frozenset({"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Cc", "Zs", "Zl", "Zp"})
#: Signs that are only seen, whatever Unicode calls them.
_SIGNS: Final = frozenset("~^`|¨´¯¸˙˜")
#: Punctuation by Unicode that a reader would have said.
_HEARD: Final = frozenset("%‰‱")
#: Two words, or a mark and a word, that need a space between.
_GLUED: Final = re.compile(rf"[{LATIN}.,;:!?][{LATIN}]")


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a text and how it is read.

    Attributes:
        start: where the part begins in the text.
        end: where it ends.
        rule: name of the rule that read it.
        outcome: what became of it.
        said: the words, or the mark that a voice makes a pause of; a space for what is left out.
    """

    start: int
    end: int
    rule: str
    outcome: Outcome
    said: str


@dataclass(frozen=True)
class Reading:
    """A text as it is heard.

    Attributes:
        text: as it was typed.
        tokens: its parts in order; they cover it without gap or overlap.
    """

    text: str
    tokens: tuple[Token, ...]

    @cached_property
    def spoken(self) -> str:
        """The words as they will be heard, with the marks between them; empty without words."""
        if not any(token.outcome == "spoken" for token in self.tokens):
            return ""
        return _tidy("".join(_apart(self.tokens)))

    @cached_property
    def left_out(self) -> tuple[str, ...]:
        """What will not be heard, as it was typed, each once."""
        parts = (self.text[t.start : t.end] for t in self.tokens if t.outcome == "left_out")
        return tuple(dict.fromkeys(part.strip() for part in parts))


@lru_cache(maxsize=16)
def read_text(text: str, default: Language = "zh") -> Reading:
    """Return how ``text`` is read aloud.

    Args:
        text: as the user typed it.
        default: language of figures where the text has neither ideographs nor letters.

    Raises:
        ReadingError: a library gave words for a number that cannot be right.
    """
    source = Source.of(text)
    context = Context(source.text, default)
    return Reading(text, tuple(_with_spans(_tokens(source.text, context), source)))


def unread(text: str) -> Reading:
    """Return ``text`` as one part that is spoken as it stands, where it has a letter or figure."""
    heard = any(char.isalnum() for char in text)
    token = Token(0, len(text), "as it is", "spoken" if heard else "mark", text)
    return Reading(text, (token,) if text else ())


def _tokens(text: str, context: Context) -> Iterator[Token]:
    position = 0
    while position < len(text):
        for token in _next_tokens(text, position, context):
            yield token
            position = token.end


def _next_tokens(text: str, position: int, context: Context) -> list[Token]:
    han = HAN_RUN.match(text, position)
    if han:
        return list(_ideographs(han))
    plain = _PLAIN_WORD.match(text, position)
    if plain:
        return [Token(position, plain.end(), "word", "spoken", plain.group())]
    space = _SPACE.match(text, position)
    if space:
        return [Token(position, space.end(), "space", "mark", _space(space.group()))]
    for rule in RULES:
        match = rule.pattern.match(text, position)
        if match and match.end() > position:
            said = rule.read(Found(match, context))
            if said is not None:
                return [Token(position, match.end(), rule.name, rule.outcome, said)]
    return [_left_over(text, position)]


def _ideographs(run: re.Match[str]) -> Iterator[Token]:
    """Yield a run of ideographs; those without a reading are left out."""
    unread = without_reading(run.group())
    start = run.start()
    for part in re.split(f"([{unread}]+)", run.group()) if unread else [run.group()]:
        if part:
            out = part[0] in unread
            said = " " if out else part
            yield Token(
                start, start + len(part), "ideographs", "left_out" if out else "spoken", said
            )
            start += len(part)


def _left_over(text: str, position: int) -> Token:
    word = _WORD.match(text, position)
    if word:
        return Token(position, word.end(), "word", "spoken", word.group())
    char = text[position]
    if char not in _HEARD and (unicodedata.category(char) in _SEEN or char in _SIGNS):
        return Token(position, position + 1, "mark", "mark", " ")
    end = next(
        (place for place in range(position + 1, len(text)) if not _alike(char, text[place])),
        len(text),
    )
    return Token(position, end, "no voice for it", "left_out", " ")


def _alike(one: str, other: str) -> bool:
    """Return whether two unreadable characters are left out as one."""
    groups = [unicodedata.category(char)[0] for char in (one, other)]
    if re.match(f"[{HAN}{LATIN}]", other):
        return False
    return (
        groups[1] == "M"
        or groups in (["L", "L"], ["M", "L"])
        or unicodedata.category(other) in ("So", "Sk")
    )


def _space(blank: str) -> str:
    return "\n" if "\n" in blank else " "


def _with_spans(tokens: Iterator[Token], source: Source) -> Iterator[Token]:
    """Yield tokens with places in the original text; those of one character become one."""
    said = ""
    end = 0
    outcome: Outcome = "mark"
    for token in tokens:
        start, end = end, source.origins[token.end]
        said = f"{said} {token.said}".strip(" ") or token.said if said else token.said
        outcome = _louder(outcome, token.outcome)
        if end > start:
            yield Token(start, end, token.rule, outcome, said)
            said, outcome = "", "mark"
        else:
            end = start
    if end < len(source.original):
        yield Token(end, len(source.original), "invisible", "mark", "")


def _louder(one: Outcome, other: Outcome) -> Outcome:
    order: tuple[Outcome, ...] = ("mark", "left_out", "spoken")
    return max(one, other, key=order.index)


def _apart(tokens: tuple[Token, ...]) -> Iterator[str]:
    """Yield what is said, with a space where two words would be glued together."""
    last = ""
    for token in tokens:
        if not token.said:
            continue
        if _GLUED.match(last + token.said[0]):
            yield " "
        yield token.said
        last = token.said[-1]


def _tidy(said: str) -> str:
    said = re.sub(r"[^\S\n]*\n\s*", "\n", said)
    said = re.sub(r"[^\S\n]+", " ", said)
    return re.sub(r" (?=[,.;:!?，。！？；：、])", "", said).strip()
