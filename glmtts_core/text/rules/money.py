"""Amounts of money in all their writings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from glmtts_core.catalogue import Language
from glmtts_core.text.numerals import cardinal, count
from glmtts_core.text.patterns import NUMBER, WORD_BEGINS
from glmtts_core.text.rule import Found, Rule, before_a_noun, rule


@dataclass(frozen=True, slots=True)
class Currency:
    """How a currency is called."""

    zh: str
    one: str
    many: str
    cent: str = ""
    cents: str = ""


_DOLLAR: Final = Currency("美元", "dollar", "dollars", "cent", "cents")
_YUAN: Final = Currency("元", "yuan", "yuan")
_EURO: Final = Currency("欧元", "euro", "euros", "cent", "cents")
_POUND: Final = Currency("英镑", "pound", "pounds", "penny", "pence")
_YEN: Final = Currency("日元", "yen", "yen")
_HONG_KONG: Final = Currency("港元", "Hong Kong dollar", "Hong Kong dollars", "cent", "cents")
_TAIWAN: Final = Currency("新台币", "Taiwan dollar", "Taiwan dollars")
_AUSTRALIA: Final = Currency("澳元", "Australian dollar", "Australian dollars", "cent", "cents")
_CANADA: Final = Currency("加元", "Canadian dollar", "Canadian dollars", "cent", "cents")
_SINGAPORE: Final = Currency("新元", "Singapore dollar", "Singapore dollars", "cent", "cents")
_WON: Final = Currency("韩元", "won", "won")
_RUPEE: Final = Currency("卢比", "rupee", "rupees")
_BAHT: Final = Currency("泰铢", "baht", "baht")
_CURRENCIES: Final = {
    "$": _DOLLAR, "¥": _YUAN, "€": _EURO, "£": _POUND,
    "US$": Currency("美元", "US dollar", "US dollars", "cent", "cents"),
    "HK$": _HONG_KONG, "HKD": _HONG_KONG,
    "NT$": _TAIWAN, "TWD": _TAIWAN, "A$": _AUSTRALIA, "AUD": _AUSTRALIA,
    "C$": _CANADA, "CAD": _CANADA, "S$": _SINGAPORE, "SGD": _SINGAPORE,
    "CHF": Currency("瑞士法郎", "Swiss franc", "Swiss francs", "centime", "centimes"),
    "JP¥": _YEN, "JPY": _YEN, "CN¥": _YUAN, "RMB¥": _YUAN, "RMB": _YUAN, "CNY": _YUAN,
    "USD": Currency("美元", "US dollar", "US dollars", "cent", "cents"),
    "EUR": _EURO, "GBP": _POUND, "₩": _WON, "KRW": _WON, "₹": _RUPEE, "INR": _RUPEE,
    "₽": Currency("卢布", "ruble", "rubles"),
    "฿": _BAHT, "THB": _BAHT, "₫": Currency("越南盾", "dong", "dong"),
    "₿": Currency("比特币", "bitcoin", "bitcoin"),
}  # fmt: skip
_SIGN: Final = "|".join(re.escape(sign) for sign in sorted(_CURRENCIES, key=len, reverse=True))
_MANY_ZH: Final = r"(?:[十百千]?[万亿]亿?|[百千])"
_MANY_EN: Final = (
    r"(?:\s?(?:million|billion|trillion|thousand|hundred)|mn|bn|tn|[kKmMbB])(?![A-Za-z])"
)
_ENGLISH_MANY: Final = {
    "k": "thousand", "m": "million", "b": "billion", "mn": "million", "bn": "billion",
    "tn": "trillion",
}  # fmt: skip
#: Powers of ten of the words for many, and the words that each language counts amounts in.
_POWERS: Final = {
    "hundred": 2, "k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "b": 9, "bn": 9,
    "billion": 9, "tn": 12, "trillion": 12, "十": 1, "百": 2, "千": 3, "万": 4, "亿": 8,
}  # fmt: skip
_STEPS: Final[dict[Language, tuple[tuple[int, str], ...]]] = {
    "zh": ((8, "亿"), (4, "万")),
    "en": ((12, "trillion"), (9, "billion"), (6, "million"), (3, "thousand")),
}
_WORD: Final = (
    "元人民币|人民币元?|美元|美金|欧元|英镑|日元|日圆|港元|港币|澳元|加元|新元|新台币|台币|韩元|韩币|卢布|卢比|"
    "泰铢|瑞士法郎|法郎|块钱|元|圆|块"
)
_PER_ZH: Final = {
    "kg": "千克", "g": "克", "L": "升", "h": "小时", "m²": "平方米", "kWh": "千瓦时", "km": "公里",
    "t": "吨", "m³": "立方米", "month": "月", "day": "天", "year": "年", "hour": "小时",
}  # fmt: skip
_PER_EN: Final = {
    "mo": "month", "yr": "year", "hr": "hour", "h": "hour", "kg": "kilogram", "g": "gram",
    "L": "liter", "l": "liter", "lb": "pound", "wk": "week", "km": "kilometer",
    "kWh": "kilowatt hour",
    "月": "month", "年": "year", "天": "day", "人": "person", "mth": "month", "gal": "gallon",
}  # fmt: skip
_PER: Final = (
    r"(?:\s?/\s?([A-Za-z]{1,8}[²³]?|[\u4e00-\u9fff]{1,3}?(?![\u4e00-\u9fff])|"
    r"[月年天日周人次晚件个斤台吨亩位张套间克升份小公千平立][时克斤方里升米]{0,2}))?"
)


@rule(
    rf"([-+–]?)\s?(?<![A-Za-z])({_SIGN})\s?([-+]?{NUMBER})(?:\s?(?:[-–—~至到])\s?(?:{_SIGN})?\s?({NUMBER}))?"
    rf"({_MANY_ZH}|{_MANY_EN})?[多余几]?\s?({_WORD})?{_PER}",
    {
        "一共花了￥12.5万。": "一共花了十二点五万元。",
        "原价¥99.9元": "原价九十九点九元",
        "It costs $19.99/month.": "It costs nineteen dollars ninety nine cents per month.",
        "$1.5 million": "one point five million dollars",
        "票价¥50-100": "票价五十到一百元",
        "融资$3.2M左右": "融资三百二十万美元左右",
        "about ¥12.5万 now": "about one hundred and twenty five thousand yuan now",
        "HK$88一份": "八十八港元一份",
        "A $20 bill": "A twenty dollar bill",
    },
)
def amount_after_its_sign(found: Found) -> str:
    """¥, $ and the like, or a currency's code, before the number."""
    currency = _CURRENCIES[found[2]]
    negative = "-" in found[1] or "–" in found[1] or found[3].startswith("-")
    first, last = found[3].lstrip("+-"), found[4]
    if found.mandarin:
        many = re.search("[多余几]", found[0].replace(found[6], "") if found[6] else found[0])
        words = "负" * negative + _zh(first, last, found[5])
        unit = found[6] or currency.zh
        yuan = "人民币" if found[2] in ("RMB", "CNY") and unit == "元" else ""
        return yuan + words + (many[0] if many else "") + unit + _per_zh(found[7])
    words = _en(first, last, found[5], currency)
    if before_a_noun(found) and words.endswith(currency.many):
        words = words.removesuffix(currency.many) + currency.one
    return "minus " * negative + words + _per_en(found[7])


@rule(
    rf"(?<![\d.,A-Za-z])(?:({_SIGN})\s?)?(\d{{1,3}}(?:\.\d{{3}})+|\d{{1,6}}),(\d\d)"
    rf"(?!\d|[.,]\d)(?:\s?({_SIGN}|{_WORD}))?(?![A-Za-z\d])",
    {
        "It costs 1.234,50 € today": (
            "It costs one thousand two hundred and thirty four euros fifty cents today"
        ),
        "总价€12,50": "总价十二点五欧元",
        "about 1.234,56": "about one thousand two hundred and thirty four point five six",
    },
)
def amount_with_a_decimal_comma(found: Found) -> str | None:
    """1.234,56 €, as most of Europe writes it."""
    whole, name = found[2].replace(".", ""), found[1] or found[4]
    if not name and "." not in found[2]:
        return None
    amount = f"{whole}.{found[3]}"
    currency = _CURRENCIES.get(name)
    if found.mandarin:
        return _zh(amount, "", "") + (currency.zh if currency else name)
    return _en(amount, "", "", currency) if currency else cardinal(amount, "en")


@rule(
    rf"(?<![\d.,A-Za-z])({NUMBER})(?:\s?[-–—~]\s?({NUMBER}))?({_MANY_ZH})?([多余]?)\s?({_WORD}){_PER}",
    {
        "单价12.80元": "单价十二点八元",
        "房租3000元/月": "房租三千元每月",
        "捐款5亿美元": "捐款五亿美元",
        "3-5块钱": "三到五块钱",
    },
)
def amount_before_its_word(found: Found) -> str | None:
    """元, 美元 and the like after the number."""
    if found[5] == "块" and not re.match(
        r"[\d一二三四五六七八九]|[，。！？,.!?\s]|$|左右", found.after(2)
    ):
        return None
    if found[2] and not (_value(found[1]) < _value(found[2]) or found[3]):
        return None
    return _zh(found[1], found[2], found[3]) + found[4] + found[5] + _per_zh(found[6])


@rule(
    rf"(?<![\d.,A-Za-z])({NUMBER})(?:\s?[-–—~]\s?({NUMBER}))?({_MANY_ZH}|{_MANY_EN})?\s?({_SIGN})(?![A-Za-z\d]){_PER}",
    {
        "He owes me 20 USD.": "He owes me twenty US dollars.",
        "It is 20$.": "It is twenty dollars.",
        "共500RMB": "共五百元人民币",
        "门票300THB": "门票三百泰铢",
    },
)
def amount_before_its_sign(found: Found) -> str:
    """A currency's code after the number."""
    currency = _CURRENCIES[found[4]]
    if not found.mandarin:
        return _en(found[1], found[2], found[3], currency) + _per_en(found[5])
    unit = "元人民币" if currency is _YUAN else currency.zh
    return _zh(found[1], found[2], found[3]) + unit + _per_zh(found[5])


@rule(
    rf"{WORD_BEGINS}(\d+)\s?¢",
    {"only 50¢": "only fifty cents"},
)
def cents(found: Found) -> str:
    """An amount below a dollar."""
    if found.mandarin:
        return cardinal(found[1], "zh") + "美分"
    return cardinal(found[1], "en") + (" cent" if found[1] == "1" else " cents")


def _value(number: str) -> float:
    return float(number.replace(",", ""))


def _trimmed(number: str) -> str:
    """Return a price without zeros that nobody says: 12.80 is 12.8."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def _zh(first: str, last: str, many: str) -> str:
    first, last, many = _in_steps(first, last, many, "zh")
    words = [count(_trimmed(number), many or "元") for number in (first, last) if number]
    return "到".join(words) + many


def _in_steps(first: str, last: str, many: str, language: Language) -> tuple[str, str, str]:
    """Return amounts and their word for many, as ``language`` counts: 3.2M is 320 万."""
    many = many.strip().lower()
    han = not many.isascii()
    if not many or han == (language == "zh"):
        return first, last, many
    power = sum(map(_POWERS.__getitem__, many)) if han else _POWERS[many]
    values = [Decimal(number.replace(",", "") or 0).scaleb(power) for number in (first, last)]
    step, name = next(
        ((step, name) for step, name in _STEPS[language] if max(values) >= 10**step), (0, "")
    )
    written = [f"{value.scaleb(-step).normalize():f}" for value in values]
    return written[0], written[1] if last else "", name


def _en(first: str, last: str, many: str, currency: Currency) -> str:
    first, last, many = _in_steps(first, last, many, "en")
    many = _ENGLISH_MANY.get(many, many)
    whole, _, part = first.replace(",", "").partition(".")
    if currency.cents and len(part) == 2 and not many and not last:
        dollars = f"{cardinal(whole, 'en')} {currency.one if whole == '1' else currency.many}"
        coins = str(int(part))
        small = f"{cardinal(coins, 'en')} {currency.cent if coins == '1' else currency.cents}"
        if coins == "0":
            return dollars
        return small if whole == "0" else f"{dollars} {small}"
    words = cardinal(_trimmed(first), "en")
    words += f" to {cardinal(_trimmed(last), 'en')}" if last else ""
    words += f" {many}" if many else ""
    return f"{words} {currency.one if first == '1' and not last and not many else currency.many}"


def _per_zh(what: str) -> str:
    return f"每{_PER_ZH.get(what, what)}" if what else ""


def _per_en(what: str) -> str:
    return f" per {_PER_EN.get(what, what)}" if what else ""


MONEY: Final[tuple[Rule, ...]] = (
    amount_with_a_decimal_comma,
    amount_after_its_sign,
    amount_before_its_word,
    amount_before_its_sign,
    cents,
)
