"""What a rule of reading is: a name, what it looks for, how that is read, and examples.

Knows nothing about any particular rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from glmtts_core.catalogue import Language
from glmtts_core.text.context import Context

#: What becomes of a part of a text: heard as words, a mark that is only seen, or not heard at all.
Outcome = Literal["spoken", "mark", "left_out"]


class Found:
    """A place in a text where a rule's pattern fits.

    Attributes:
        match: of the pattern; empty groups count as absent.
        context: what is around it.
    """

    def __init__(self, match: re.Match[str], context: Context) -> None:
        self.match = match
        self.context = context

    def __getitem__(self, group: str | int) -> str:
        return self.match[group] or ""

    @cached_property
    def language(self) -> Language:
        """In which the place is read."""
        return self.context.language(self.match.start(), self.match.end())

    @property
    def mandarin(self) -> bool:
        """Whether the place is read in Mandarin."""
        return self.language == "zh"

    def before(self, count: int) -> str:
        """Return up to ``count`` characters before the place."""
        start = self.match.start()
        return self.context.text[max(0, start - count) : start]

    def after(self, count: int) -> str:
        """Return up to ``count`` characters after the place."""
        end = self.match.end()
        return self.context.text[end : end + count]


def before_a_noun(found: Found) -> bool:
    """Return whether an English article makes the quantity an adjective: a 10 km race."""
    return bool(_ARTICLE.search(found.before(4)))


def below_zero(found: Found) -> bool:
    """Return whether a word before already means minus."""
    return bool(_BELOW_ZERO.search(found.before(2)))


def adds_to_a_quantity(found: Found) -> bool:
    """Return whether a plus adds to what is named before: 16GB内存+512GB固态."""
    return bool(_QUANTITY_OF_A_THING.search(found.before(8)))


_BELOW_ZERO: Final = re.compile("(?:零下|负)$")
_QUANTITY_OF_A_THING: Final = re.compile(r"\d\s?(?:[A-Za-z]{1,3}\s?)?[\u4e00-\u9fff]{1,4}\s?$")
_ARTICLE: Final = re.compile(r"(?:^|[^A-Za-z])[Aa]n? $")

#: Returns the words of a place, or what stands for a mark; None: the rule has nothing to say here.
Reader = Callable[[Found], str | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of reading.

    Attributes:
        name: in words.
        pattern: what it looks for; it is tried where the rules before it found nothing.
        read: gives the words.
        examples: texts, and how they are read as a whole.
        outcome: what becomes of the place.
    """

    name: str
    pattern: re.Pattern[str]
    read: Reader
    examples: Mapping[str, str]
    outcome: Outcome


def rule(
    pattern: str,
    examples: Mapping[str, str],
    *,
    outcome: Outcome = "spoken",
    flags: int = 0,
) -> Callable[[Reader], Rule]:
    """Make a rule of the function below it, which gives its name."""

    def made(read: Reader) -> Rule:
        name = read.__name__.strip("_").replace("_", " ")
        return Rule(name, re.compile(pattern, flags), read, examples, outcome)

    return made
