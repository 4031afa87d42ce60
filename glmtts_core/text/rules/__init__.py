"""The rules of reading, in the order in which they are tried at each place of a text."""

from __future__ import annotations

from typing import Final

from glmtts_core.text.rule import Rule
from glmtts_core.text.rules.addresses import ADDRESSES
from glmtts_core.text.rules.dates import DATES
from glmtts_core.text.rules.days import DAYS
from glmtts_core.text.rules.formulas import FORMULAS, programming_language
from glmtts_core.text.rules.markup import MARKUP
from glmtts_core.text.rules.measures import MEASURES
from glmtts_core.text.rules.money import MONEY
from glmtts_core.text.rules.numbers import NUMBERS, scientific_number
from glmtts_core.text.rules.phones import PHONES
from glmtts_core.text.rules.ranges import RANGES
from glmtts_core.text.rules.roman import ROMAN
from glmtts_core.text.rules.sizes import SIZES
from glmtts_core.text.rules.times import TIMES
from glmtts_core.text.rules.versions import VERSIONS, model_code, standard_number
from glmtts_core.text.rules.words import MARKS, WORDS

#: Longer and rarer things come first: a date would be a range, a price a number.
RULES: Final[tuple[Rule, ...]] = (
    *MARKUP,
    *ADDRESSES,
    *WORDS,
    programming_language,
    *ROMAN,
    standard_number,
    *DAYS,
    *DATES,
    *TIMES,
    *PHONES,
    *MONEY,
    model_code,
    scientific_number,
    *SIZES,
    *MEASURES,
    *RANGES,
    *VERSIONS,
    *FORMULAS,
    *NUMBERS,
    *MARKS,
)
