"""Roman numerals: of rulers, of chapters, and the single characters of Unicode."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from glmtts_core.text.numerals import cardinal, ordinal, roman, year
from glmtts_core.text.patterns import WORD_BEGINS, WORD_ENDS
from glmtts_core.text.rule import Found, Rule, rule

_RULERS: Final = (
    "Henry|Louis|Charles|George|Edward|James|William|Elizabeth|Mary|Philip|Frederick|Alexander|Nicholas|"
    "Peter|Paul|John|Pius|Benedict|Leo|Gregory|Catherine|Napoleon|Richard|Otto|Wilhelm|Ferdinand|Francis|"
    "Felipe|Carlos|Victoria|Rams?es|Ramesses|Cleopatra|Ptolemy|Ivan|Gustav|Gustaf|Christian|Frederik|"
    "Harald|Haakon|Olav|Umberto|Emanuele?|Emmanuel|Clement|Innocent|Urban|Boniface|Alfonso|Sancho|Robert|"
    "David|Malcolm|Stephen|Constantine|Justinian|Theodosius|Darius|Xerxes|Artaxerxes|Thutmose|Tutmose|"
    "Amenhotep|Seti|Antiochus|Mehmed|Selim|Murad|Suleiman|Rama|Baldwin|Bela|Casimir|Sigismund|Rudolf|"
    "Rudolph|Joseph|Leopold|Maximilian|Albert|Baudouin|Juliana|Margaret|Margrethe|Isabella|Joanna|Manuel|"
    "Pedro|Afonso|Augustus|Tiberius|Abdulhamid|Mohammed|Muhammad|Hassan|Hussein|Abdullah|Sixtus|Julius|"
    "Martin|Eugene|Callixtus|Adrian|Celestine|Honorius|Lucius|Nerva|Philippe|Henri|Jean|Carol|Ludwig|Karl|"
    "Friedrich|Heinrich|Eric|Erik|Magnus|Oscar|Oskar|Adolf|Vladimir|Yaroslav|Vasily|Fyodor|Feodor|Anna"
)
_RULER: Final = re.compile(rf"{WORD_BEGINS}(?:{_RULERS})\s$")
#: A name between a title and the numeral, whoever it is.
_TITLED: Final = re.compile(
    rf"{WORD_BEGINS}(?:King|Queen|Pope|Emperor|Tsar|Czar|Sultan|Pharaoh|Prince|Duke|Shah|Kaiser|Empress)\s(?:[A-Z][a-z]+\s){{1,3}}$"
)
_PART: Final = re.compile(
    rf"{WORD_BEGINS}(?:Chapter|Part|Section|Volume|Vol|Book|Act|Scene|Article|Appendix|Title|Level|Grade|Phase|Stage|"
    r"Type|Class|Category|War|Figure|Table|Step|Unit|Lesson|Episode|Season|Round|Mark|Mk|Division|Group|"
    r"Bowl|Apollo|Rocky|Fantasy|Quest|Wars|Canto|Hymn|Sonata|Symphony|No|Number|Area|Zone|"
    r"Tier|Corps|Legion|Olympiad|Page|Item|Exhibit|Schedule|Amendment|Diablo|Civilization|Calculus|Algebra|"
    r"Physics|Chemistry|Pentium|Titan|Saturn|Vatican|Lateran)(?:\.\s?|\s)$|§\s?$",
    re.IGNORECASE,
)
_RULER_ZH: Final = re.compile(
    "(?:路易|亨利|查理|乔治|爱德华|詹姆斯|伊丽莎白|威廉|腓力|约翰|保罗|本笃|腓特烈|拿破仑|尼古拉|亚历山大)$"
)
_AFTER_ZH: Final = re.compile(
    r"\s?(?:型|级|期|类|章|节|卷|部|世|号|代|度|象限|区|阶段|篇|册|等(?!于)|段|条|式|组|批|层|幕|档|项|度烧伤|导联|因子|相)"
)


@rule(
    r"([Ⅰ-Ⅻⅰ-ⅻ])",
    {"第Ⅲ章": "第三章", "Ⅱ型糖尿病": "二型糖尿病", "World War Ⅱ": "World War two"},
)
def numeral_of_one_character(found: Found) -> str:
    """A numeral that Unicode has as one character."""
    value = str(int(unicodedata.numeric(found[0])))
    return cardinal(value, found.language) if found.mandarin else f" {cardinal(value, 'en')} "


@rule(
    rf"{WORD_BEGINS}([IVXLCDM]+){WORD_ENDS}(?![’'+#&]|[.-][A-Za-z])",
    {
        "Henry VIII": "Henry the eighth",
        "Chapter IV": "Chapter four",
        "§IV": "section four",
        "World War II": "World War two",
        "第IV卷": "第四卷",
        "III期临床": "三期临床",
        "《教父II》": "《教父二》",
        "GTA VI预告片": "GTA 六预告片",
        "the XXI century": "the twenty first century",
    },
)
def numeral_in_letters(found: Found) -> str | None:
    """Capital letters that are a numeral: the words around them say so."""
    value = roman(found[1])
    if value is None:
        return None
    if re.search("[\u4e00-\u9fff][(（]?$", found.before(2)) or _counted_in_mandarin(found):
        return _in_mandarin(found, value)
    return _in_english(found, value)


def _counted_in_mandarin(found: Found) -> bool:
    return bool(re.fullmatch("[IVX]+", found[1]) and _AFTER_ZH.match(found.after(3)))


def _in_mandarin(found: Found, value: int) -> str | None:
    words = cardinal(str(value), "zh")
    if found.before(1) == "第" or _counted_in_mandarin(found):
        return words
    if _RULER_ZH.search(found.before(6)):
        return f"{words}世"
    other = re.fullmatch("X+|VI", found[1]) and re.match(r"\s?[\u4e00-\u9fff]", found.after(2))
    return words if re.fullmatch("[IVX]{2,}", found[1]) and not other else None


def _in_english(found: Found, value: int) -> str | None:
    if found.after(7) == " centur":
        return ordinal(value)
    before = found.before(48)
    letter = (len(found[1]) == 1 and found[1] not in "IVX") or before.endswith("Malcolm ")
    if not letter and (_RULER.search(before) or _TITLED.search(before)):
        return f"the {ordinal(value)}"
    if not letter and _PART.search(before):
        return cardinal(str(value), "en")
    if len(found[1]) > 3 and 1000 <= value <= 2100:
        return year(value)
    alone = re.fullmatch("[IVX]{2,}", found[1]) and value < 40 and found[1] not in ("XX", "XXX")
    capital = re.search(r"(?:^|[^A-Za-z])[A-Z](?:[a-z]+|[A-Z]{1,4})\s$", before)
    return cardinal(str(value), found.language) if alone and capital else None


ROMAN: Final[tuple[Rule, ...]] = (numeral_of_one_character, numeral_in_letters)
