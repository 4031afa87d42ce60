"""Telephone numbers and codes: figure by figure."""

from __future__ import annotations

import re
from typing import Final

from glmtts_core.catalogue import Language
from glmtts_core.text.numerals import digits
from glmtts_core.text.patterns import LETTER, NUMBER_BEGINS, NUMBER_ENDS, WORD_BEGINS, WORD_ENDS
from glmtts_core.text.rule import Found, Rule, rule

_GAP: Final = r"[\s.-]?"
#: The country's code, or no figure before.
_PLUS: Final = rf"(?:(?:\+|{WORD_BEGINS}00)86[\s-]?|\(\+?86\)\s?|(?<![\d.]))"
#: Words before a number that is called, not counted.
_CALLED: Final = re.compile(
    r"(?:拨打|拨|致电|来电|电话|热线|客服|报警|火警|急救|短信到?|发送到?|手机|座机|传真|联系|打给|打|呼叫|微信|电)"
    r"(?:号码?|方式|是|为|：|:|\s|至|了|到|[(（]){0,3}$"
    rf"|{WORD_BEGINS}(?:call|dial|phone|tel|telephone|fax|hotline|text|ring)"
    r"(?: (?:is|me at|us at|at|to|number))?[.:：]?\s?$",
    re.IGNORECASE,
)
#: Words before a code.
_CODED: Final = re.compile(
    r"(?:验证码|密码|口令|邮编|邮政编码|编号|编码|代码|工号|学号|卡号|账号|帐号|单号|订单号?|快递单?号?|QQ号?|QQ群|尾号|"
    r"房间号?|房号|证号|车牌号?|流水号|序列号|准考证号|身份证号?码?|证件号码?|群号|会议号|取件码|邀请码|识别码|门牌号?|股票|"
    r"航班号?|车次|转|转分机|分机号?|尾数|端口号?|证书号|邮箱|微信号?)"
    r"(?:码|是|为|：|:|\s|\#|[(（]|[A-Z]{1,2}){0,3}$"
    rf"|{WORD_BEGINS}(?:code|pin|zip|id|rooms?|flights?|serial|port|password|account|order|extension|ext\.?|gate|bus|route|suite|apartment|apt\.?)"
    r"(?: (?:is|no\.|number|code))?[:：#]?\s?$",
    re.IGNORECASE,
)
#: Figures before, with what joins the parts of a list.
_LISTED: Final = re.compile(r"(?:\d[\d-]*\s?(?:、|，|,|和|或者?|及|以及|与|/|and|or|&)\s?)+$")
#: A word for calling before in the same part of the sentence.
_CALL: Final = re.compile(r"(?:拨打?|致电|热线|客服|电话|请打)[\u4e00-\u9fff\s]{0,8}$")
_SERVICE: Final = r"1(?:10|14|19|20|22)|12\d{3}|100(?:86|10|00)|9[56]\d{3,4}"
_SERVICE_NAMED: Final = re.compile("网|热线|客服|服务|平台|投诉|短信|电话|急救|报警|火警")
_COUNTED: Final = re.compile(
    r"\s?(?:分|个|元|块|次|人|斤|米|折|天|年|万|亿|%|岁|小时|秒|条|字|公里|颗|层|页|回|通|场|平)"
)


def _before_the_list(found: Found, sight: int) -> str:
    """Return the text before the place, and before the figures that are listed with it."""
    before = found.before(sight + 30)
    return _LISTED.sub("", before)[-sight:]


def _one_by_one(found: Found) -> str:
    return digits(found[0], found.language, one="幺")


@rule(
    rf"{_PLUS}1[3-9]\d(?:{_GAP}\d{{4}}{_GAP}\d{{4}}|\s?\d{{3}}\s?\d{{5}}){NUMBER_ENDS}(?!{LETTER})",
    {
        "手机138 0000 1234": "手机幺三八零零零零幺二三四",
        "+86 13900001234": "加八六幺三九零零零零幺二三四",
    },
)
def mobile_number(found: Found) -> str:
    """Eleven figures that begin with 13 to 19."""
    return _chinese(found)


def _chinese(found: Found) -> str:
    """Return a number of China: in Mandarin, unless there are English words around it."""
    mandarin = found.mandarin or not found.context.has_letters
    plus = ("加" if mandarin else "plus ") if "+" in found[0] else ""
    return plus + digits(found[0], "zh" if mandarin else "en", one="幺")


@rule(
    rf"(?<![\d.])\(0\d{{2,3}}\)\s?\d{{3,4}}{_GAP}\d{{4}}{NUMBER_ENDS}|"
    rf"{_PLUS}(?:0\d{{1,4}}|(?<=86[\s-])\d{{2,3}})[-\s]\d{{3,4}}{_GAP}\d{{4}}(?:-\d{{1,5}})?{NUMBER_ENDS}|"
    rf"(?<![\d.])0(?:10|2\d|[3-9]\d\d)\d{{7,8}}{NUMBER_ENDS}",
    {"010-62345678": "零幺零六二三四五六七八", "(0571) 8765 4321": "零五七幺八七六五四三二幺"},
)
def landline_number(found: Found) -> str:
    """An area's code and a number."""
    return _chinese(found)


@rule(
    rf"(?<![\d.-])[48]00(?:-\d{{3}}-\d{{4}}|-\d{{4}}-\d{{3}}|\s\d{{3}}\s\d{{4}}|\d{{7}}|-\d{{7}}){NUMBER_ENDS}",
    {"客服8008208820": "客服八零零八二零八八二零", "拨400-820-8820": "拨四零零八二零八八二零"},
)
def hotline_number(found: Found) -> str:
    """400 and 800 numbers."""
    return _chinese(found)


@rule(
    rf"(?:\+?1[\s.-])?(?<![\d.])(?:\(\d{{3}}\)\s?|\d{{3}}[.-])\d{{3}}[.-]\d{{4}}{NUMBER_ENDS}|"
    rf"(?<![\d.\-])0\d{{4}}\s\d{{6}}{NUMBER_ENDS}|"
    rf"(?<![\d.\-])\d{{3}}-\d{{4}}{NUMBER_ENDS}(?![年学])|\+\d{{1,3}}(?:[\s.-]?\(?\d{{2,5}}\)?){{2,5}}{NUMBER_ENDS}",
    {
        "Call (321) 434-5049.": "Call three two one four three four five zero four nine.",
        "555-0199": "five five five zero one nine nine",
        "Dial +1 212-555-0147": "Dial plus one two one two five five five zero one four seven",
    },
)
def number_in_the_american_way(found: Found) -> str:
    """Three and four figures, with or without an area; in English unless ideographs are near."""
    language: Language = "zh" if found.mandarin and found.context.has_ideographs else "en"
    plus = ("加" if language == "zh" else "plus ") if found[0].startswith("+") else ""
    return plus + digits(found[0], language, one="幺")


@rule(
    rf"{NUMBER_BEGINS}\d{{3,6}}(?:[\s-]\d{{3,5}}){{0,3}}{NUMBER_ENDS}(?!{LETTER})",
    {
        "拨打110报警": "拨打幺幺零报警",
        "Dial 911 now": "Dial nine one one now",
        "打12306": "打幺二三零六",
        "拨打110、119和120": "拨打幺幺零、幺幺九和幺二零",
    },
)
def called_number(found: Found) -> str | None:
    """A short number after a word for calling."""
    before = _before_the_list(found, 20)
    if not _CALLED.search(before) or _COUNTED.match(found.after(3)):
        return None
    return _one_by_one(found)


@rule(
    rf"(?<![A-Za-z\d.])(?:{_SERVICE}){NUMBER_ENDS}(?![元块万%])",
    {"12306网站": "一二三零六网站", "挂失请拨工行95588": "挂失请拨工行九五五八八"},
)
def service_number(found: Found) -> str | None:
    """A well-known number before a word for what it is, or behind one for calling and a name."""
    if _SERVICE_NAMED.match(found.after(2)) or _CALL.search(found.before(14)):
        return digits(found[0], found.language)
    return None


@rule(
    rf"(?<=[A-Z]·)\d{{3,6}}|(?<![\d.])\d{{3,}}(?:[\s-]\d{{2,}}){{0,5}}(?:[Xx](?![A-Za-z]))?{NUMBER_ENDS}",
    {
        "验证码是482913": "验证码是四八二九一三",
        "会议ID：123 456 789": "会议ID：一二三四五六七八九",
        "京A·12345": "京A 一二三四五",
        "room 302": "room three zero two",
        "rooms 302 and 303": "rooms three zero two and three zero three",
    },
)
def code(found: Found) -> str | None:
    """Figures after a word for a code."""
    plate = found.before(1) == "·"
    if not (plate or _CODED.search(_before_the_list(found, 18))) or re.match(
        r"\s?[个元块次人月天%位]", found.after(2)
    ):
        return None
    words = digits(found[0], found.language)
    return f"{words} X" if found[0][-1] in "Xx" else words


@rule(
    rf"(?<=单元)\d{{3,4}}|{NUMBER_BEGINS}(\d{{3,4}})(?=(?:[、和]\d{{3,4}})*(?:室|号房|房间)|大楼|大厦|号楼|号院|号车|次列车|次航班|次高铁|次动车)"
    rf"|{NUMBER_BEGINS}(\d{{3}})(?=路(?:公交|车|巴士|公共汽车|电车)?(?!口|公里))",
    {"201、202室": "二零一、二零二室", "乘101路": "乘一零一路"},
)
def room_number(found: Found) -> str | None:
    """A room, a line of buses, a train."""
    return digits(found[0], "zh") if found.mandarin else None


@rule(
    rf"(?<![\d.,])(?:\d{{17}}[\dXx]|\d{{9,}}|0\d{{2,}}|(?:19|20)\d\d(?:0\d|1[0-2])[0-3]\d|"
    rf"\d+(?:-\d+){{2,}}){WORD_ENDS}(?![.,-]\d)",
    {
        "000123号": "零零零一二三号",
        "20241001": "二零二四一零零一",
        "ISBN 978-7-02": "ISBN nine seven eight seven zero two",
    },
)
def row_of_figures(found: Found) -> str | None:
    """A row that is too long for a count, or that begins with zero."""
    if re.match(r"\s?[元块个人万亿次米字%]", found.after(2)):
        return None
    return digits(found[0], found.language) + (" X" if found[0][-1] in "Xx" else "")


PHONES: Final[tuple[Rule, ...]] = (
    mobile_number,
    landline_number,
    hotline_number,
    number_in_the_american_way,
    called_number,
    service_number,
    code,
    room_number,
    row_of_figures,
)
