"""Words that are not read as they are written, and the marks between words."""

from __future__ import annotations

import re
from typing import Final

from glmtts_core.text.patterns import LETTER, WORD_BEGINS
from glmtts_core.text.rule import Found, Rule, rule
from glmtts_core.text.rules.days import SHORT_MONTHS

_MONTHS: Final = {short.lower(): month for short, month in SHORT_MONTHS.items()}
_FULL: Final = {
    "etc": "et cetera", "vs": "versus", "approx": "approximately", "fig": "figure", "vol": "volume",
    "dept": "department", "est": "established", "max": "maximum", "min": "minimum",
    "avg": "average", "no": "number", "nos": "numbers", "prof": "Professor", "mr": "Mister",
    "mrs": "Missus", "ms": "Ms", "dr": "Doctor", "jr": "Junior", "sr": "Senior", "mt": "Mount",
    "ft": "Fort", "gov": "Governor", "sen": "Senator", "gen": "General", "col": "Colonel",
    "capt": "Captain", "lt": "Lieutenant", "sgt": "Sergeant", "rev": "Reverend",
    "ltd": "Limited", "inc": "Incorporated", "corp": "Corporation", "ave": "Avenue",
    "blvd": "Boulevard", "rd": "Road",
    "tel": "telephone", "ext": "extension", "p": "page", "pp": "pages",
    "ep": "episode", "ch": "chapter", "sec": "section", **_MONTHS,
}  # fmt: skip
#: Abbreviations that only stand before what they belong to; Oct. and the like before a number.
_BEFORE_NAME: Final = frozenset(
    ("prof", "mr", "mrs", "ms", "dr", "mt", "ft", "gov", "sen", "gen", "col", "capt", "lt", "sgt",
     "rev")
)  # fmt: skip
_BEFORE_NUMBER: Final = frozenset(
    ("no", "nos", "ep", "fig", "vol", "tel", "ext", "p", "pp", "ch", "sec", "est", *_MONTHS)
)  # fmt: skip
#: Abbreviations that are read so whatever follows.
_ANYWHERE: Final = frozenset(("etc", "vs", "jr", "sr", "approx"))
_SHORT: Final = "|".join(sorted(_FULL, key=len, reverse=True))


@rule(
    rf"{WORD_BEGINS}(?:e\.\s?g\.|i\.\s?e\.|[aApP]\.\s?[mM](?:\.(?!\s+[A-Z]|\s*$))?(?![A-Za-z])|w/o?(?=\s)|Ph\.?\s?D\.?(?![A-Za-z]))",
    {"e.g. this": "for example this", "early a.m.": "early A M.", "w/o me": "without me"},
)
def abbreviation_with_points(found: Found) -> str:
    """e.g., i.e., a.m., w/o."""
    letters = re.sub(r"[^A-Za-z]", "", found[0])
    known = {"eg": "for example", "ie": "that is", "w": "with", "wo": "without", "PhD": "P H D"}
    return known.get(letters) or " ".join(letters.upper())


@rule(
    rf"{WORD_BEGINS}(?:[A-Z]\.){{2,}}(?:[A-Z](?![A-Za-z]))?",
    {"the U.S. army": "the U S army", "J.K. Rowling": "J K Rowling"},
)
def initials(found: Found) -> str:
    """Capitals with points."""
    return " ".join(found[0].replace(".", ""))


@rule(
    rf"{WORD_BEGINS}(?:No|NO)\.?\s?(?=\d{{1,2}}(?![\d.]))",
    {"销量No.1": "销量第一"},
)
def place_in_an_order(found: Found) -> str | None:
    """No.1 within Mandarin."""
    return "第" if found.mandarin else None


@rule(
    rf"{WORD_BEGINS}({_SHORT})\.(?=\s?\S)|{WORD_BEGINS}(St)\.(?=\s[A-Z])|{WORD_BEGINS}(No)\.?(?=\d)"
    rf"|{WORD_BEGINS}(etc|Jr|Sr)(?=\.?\s*(?:$|[,;:!?)，。！？；：、）])|\.\n)",
    {
        "Dr. Smith": "Doctor Smith",
        "No. 5": "number five",
        "cats vs. dogs": "cats versus dogs",
        "St. Paul": "Saint Paul",
        "see p. 5": "see page five",
        "pens etc. Then go.": "pens et cetera. Then go.",
        "pens, ink, etc.": "pens, ink, et cetera.",
    },
    flags=re.IGNORECASE,
)
def abbreviation(found: Found) -> str | None:
    """A shortened word with its point."""
    if found[2]:
        return "Saint" if found[2] == "St" else None
    short = (found[1] or found[3] or found[4]).lower()
    after = found.after(2).lstrip()
    if short in _BEFORE_NAME and not after[:1].isupper():
        return None
    if short in _BEFORE_NUMBER and not after[:1].isdigit():
        return None
    if short in _ANYWHERE:
        ends = short == "etc" and found[1] and found.after(1).isspace() and after[:1].isupper()
        return f"{_FULL[short]}." if ends else _FULL[short]
    if short not in _BEFORE_NAME | _BEFORE_NUMBER and (
        after[:1].isupper() or found.after(1)[:1] not in " ,"
    ):
        return None
    return _FULL[short]


@rule(
    rf"{LETTER}+(?:['’]{LETTER}+)?(?:-{LETTER}+(?:['’]{LETTER}+)?){{1,9}}(?![\d-])",
    {"well-known e-mail": "well-known e-mail"},
)
def hyphenated_word(found: Found) -> str:
    """A word with hyphens, which a voice says in one go."""
    return found[0]


@rule(
    r"\.{2,}|…+|。{2,}|·{3,}",
    {"hello...world": "hello…world", "等等……": "等等…"},
    outcome="mark",
)
def dots(_: Found) -> str:
    """Points that trail off."""
    return "…"


@rule(
    r"(?:--+|—+|―+|–|-(?=\s))\s*",
    {"one—two": "one—two", "你好——世界": "你好—世界", "a - b": "a — b"},
    outcome="mark",
)
def dash(found: Found) -> str | None:
    """A dash between words; a hyphen is one where spaces are around it."""
    spaced = found.before(1).isspace()
    if found[0].strip() == "-" and not spaced:
        return None
    return "— " if spaced else "—"


@rule(
    r"[\"“”„‟«»＂〝〞]",
    {'He said "hello" loudly.': "He said “hello” loudly.", "“好”": "“好”"},
    outcome="mark",
)
def quotation_mark(found: Found) -> str:
    """A quotation mark of any kind: opening where a word follows, else closing."""
    if found[0] in "“”":
        return found[0]
    before = found.before(1)
    opening = found[0] in "«„〝" or (found[0] == '"' and _opens(found, before))
    return "“" if opening else "”"


def _opens(found: Found, before: str) -> bool:
    if not before or before.isspace() or before in "([（【":
        return True
    if re.match(r"\s|$|[,.;:!?，。！？；：、)）]", found.after(1)):
        return False
    earlier = found.context.text[: found.match.start()].count(
        '"', max(0, found.match.start() - 200)
    )
    return earlier % 2 == 0


@rule(
    r"['‘’`′＇]",
    {"the 'best' one": "the best one", "‘好’": "好"},
    outcome="mark",
)
def single_quotation_mark(_: Found) -> str:
    """A quotation mark that no voice makes a pause of; an apostrophe belongs to its word."""
    return " "


@rule(
    r"[,.;:!?()，。！？；：、（）《》〈〉「」『』【】—]",
    {"LOL，OK": "LOL，OK", "（好）": "（好）"},
    outcome="mark",
)
def punctuation(found: Found) -> str:
    """A mark that a voice makes a pause of."""
    return found[0]


@rule(
    r"[\[{〔［｛]|[\]}〕］｝]",
    {"[note] text": "(note) text"},
    outcome="mark",
)
def bracket(found: Found) -> str:
    """A bracket of another kind."""
    return "(" if found[0] in "[{〔［｛" else ")"


@rule(
    r">(?=\s)",
    {"File > Save": "File, Save"},
    outcome="mark",
)
def step_of_a_path(found: Found) -> str | None:
    """What stands between the steps of a menu."""
    return "," if re.search(r"[\w\u4e00-\u9fff]\s$", found.before(2)) else None


@rule(
    r"\s*\|\s*",
    {"姓名|年龄": "姓名,年龄"},
    outcome="mark",
)
def bar(found: Found) -> str:
    """A bar between the cells of a table."""
    return "," if re.search(r"[\w\u4e00-\u9fff]$", found.before(1)) else " "


WORDS: Final[tuple[Rule, ...]] = (
    abbreviation_with_points,
    initials,
    place_in_an_order,
    abbreviation,
)
MARKS: Final[tuple[Rule, ...]] = (
    hyphenated_word,
    dots,
    dash,
    quotation_mark,
    single_quotation_mark,
    bracket,
    step_of_a_path,
    bar,
    punctuation,
)
