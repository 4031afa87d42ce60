"""Times of day, durations, and what else has a colon: ratios and scores."""

from __future__ import annotations

import re
from typing import Final

from glmtts_core.text.numerals import cardinal, count, digits
from glmtts_core.text.patterns import NUMBER, NUMBER_BEGINS, NUMBER_ENDS, WORD_BEGINS, WORD_ENDS
from glmtts_core.text.rule import Found, Rule, rule

#: a.m. and p.m.; a full stop that may end the sentence is left alone.
_HALF: Final = r"(?:\s?([AaPp])(?:\.[Mm](?:\.(?!\s+[A-Z]|\s*$))?|[Mm])(?![A-Za-z]))"
_CLOCK: Final = r"([01]?\d|2[0-4])[:：]([0-5]\d)"
#: Words before figures with a colon or a dash that make a ratio or a score of them.
_BEFORE_RATIO: Final = re.compile(
    r"(?:比|比例|比分|比率|配比|赔率|尺|胜|平|负|输|赢|总分|最终|[首次一二三四五末\d]局|半场|宽高|屏幕|以|按|稀释|混合|领先|落后)"
    r"(?:为|是|约|约为|大约|达到|达|了|：|:|\s){0,3}$"
)
_AFTER_RATIO: Final = re.compile(
    r"\s?(?:的)?(?:轻松|顺利|强势|艰难|爆冷)?(?:比例|比分|优势|拿下|取得|战胜|击败|打败|获胜|取胜|胜|领先|落后|逆转|险胜|大胜|小胜|完胜|战平|打平|平局|"
    r"负|不敌|输|赢|淘汰|力克|横扫|稀释|兑|混合|配比|屏|竖|横屏|横版|构图|封面|画面|宽高|大比分|告负|锁定)"
)
#: Widths and heights that could be times, and what has them.
_SIDES: Final = frozenset(("9:16", "16:9", "3:4", "4:3"))
_PICTURE: Final = re.compile("导出|格式|分辨率|尺寸|画幅|裁剪|裁成|版面|显示器|幻灯片|图片|照片")
_RATIO_IN_ENGLISH: Final = re.compile(
    rf"{WORD_BEGINS}(?:ratio|scale|score|odds|aspect|won|win|wins|lost|lose|beat|defeated|tied|drew|lead|led|mix){WORD_ENDS}"
    r"[^.!?\n]{0,25}$",
    re.IGNORECASE,
)
_PART_OF_THE_DAY: Final = re.compile(
    "(?:早上?|晚上?|上午|下午|中午|凌晨|傍晚|夜里|清晨|晚间|早间)[的在]?\\s?$"
)
_DURATION: Final = re.compile(
    r"(?:用时|耗时|时长|历时|成绩|片长|全长|跑出|计时|还剩)[为是了：:\s约]{0,3}$"
)


def _ratio_is_meant(found: Found) -> bool:
    if found.mandarin:
        picture = found[0] in _SIDES and _PICTURE.search(found.before(8) + found.after(8))
        context = _BEFORE_RATIO.search(found.before(14)) or _AFTER_RATIO.match(found.after(8))
        return bool(context or picture)
    return bool(_RATIO_IN_ENGLISH.search(found.before(60)))


@rule(
    rf"{NUMBER_BEGINS}({NUMBER})\s?[:：]\s?({NUMBER})(?:\s?[:：]\s?({NUMBER}))?(?!\d|[.:：]\d)",
    {
        "比分21:19": "比分二十一比十九",
        "按1:100稀释": "按一比一百稀释",
        "The ratio is 4:1.": "The ratio is four to one.",
        "2：1": "二比一",
        "三个数3:4:5": "三个数三比四比五",
        "9:16竖屏": "九比十六竖屏",
        "导出9:16的格式": "导出九比十六的格式",
    },
)
def ratio(found: Found) -> str | None:
    """Numbers with colons that are no time: by the words around them, or by their values."""
    parts = [part for part in (found[1], found[2], found[3]) if part]
    clock = re.fullmatch(rf"{_CLOCK}(?:[:：][0-5]\d)?", re.sub(r"\s", "", found[0]))
    if clock and not _ratio_is_meant(found):
        return None
    if _DURATION.search(found.before(8)):
        return None
    between = "比" if found.mandarin else " to "
    return between.join(cardinal(part, found.language) for part in parts)


@rule(
    rf"{NUMBER_BEGINS}(\d{{1,3}})\s?[-–—]\s?(\d{{1,3}}){NUMBER_ENDS}(?![%\w])|"
    rf"{NUMBER_BEGINS}(\d{{1,3}})\s?[-–—]\s?(\d{{1,3}})(?=[负胜战击打获取领落逆险大小完不输赢淘力横告锁的拿轻顺强艰爆])",
    {
        "以3-1获胜": "以三比一获胜",
        "主队3-0轻松取胜": "主队三比零轻松取胜",
        "首局11-9": "首局十一比九",
        "They won 2-1.": "They won two to one.",
    },
)
def score_with_a_dash(found: Found) -> str | None:
    """3-1 where the words around it speak of winning."""
    if not _ratio_is_meant(found):
        return None
    if (
        found.mandarin
        and re.search("[按以]$", found.before(1))
        and not _AFTER_RATIO.match(found.after(8))
    ):
        return None
    between = "比" if found.mandarin else " to "
    first, second = found[1] or found[3], found[2] or found[4]
    return between.join(cardinal(part, found.language) for part in (first, second))


@rule(
    rf"{NUMBER_BEGINS}(\d{{1,2}})[:：]([0-5]\d)(?:[:：]([0-5]\d))?{NUMBER_ENDS}",
    {
        "用时1:23:45": "用时一小时二十三分四十五秒",
        "时长3:45": "时长三分四十五秒",
        "倒计时00:30": "倒计时三十秒",
    },
)
def duration(found: Found) -> str | None:
    """How long something took, where the word before says so."""
    if not _DURATION.search(found.before(8)):
        return None
    units = ("小时", "分", "秒") if found[3] else ("分", "秒")
    parts = [str(int(part)) for part in (found[1], found[2], found[3]) if part]
    named = [(part, unit) for part, unit in zip(parts, units, strict=True) if part != "0"]
    return "".join(count(part, unit) + unit for part, unit in named or [("0", "秒")])


@rule(
    rf"{NUMBER_BEGINS}(?:(\d{{1,3}})h(?:rs?)?(?:\s?(\d{{1,2}})m(?:ins?)?|([0-5]\d))|(\d{{1,3}})m(?:in)?(?=\s?\d{{1,2}}s))"
    rf"(?:\s?(\d{{1,2}})s(?:ecs?)?)?(?![A-Za-z\d])",
    {
        "It took 2h30min.": "It took two hours thirty minutes.",
        "片长1h 5m": "片长一小时五分钟",
        "in 2h30": "in two hours thirty minutes",
        "after 3m20s": "after three minutes twenty seconds",
    },
)
def hours_and_minutes(found: Found) -> str:
    """2h30min, 3m20s."""
    units = {
        "zh": (("小时", "小时"), ("分钟", "分钟"), ("秒", "秒")),
        "en": ((" hour", " hours"), (" minute", " minutes"), (" second", " seconds")),
    }[found.language]
    parts = (found[1], found[2] or found[3] or found[4], found[5])
    said = [
        count(part.lstrip("0") or "0", unit[1]) + unit[1]
        if found.mandarin
        else cardinal(part.lstrip("0") or "0", "en") + unit[int(part) != 1]
        for part, unit in zip(parts, units, strict=True)
        if part
    ]
    return ("" if found.mandarin else " ").join(said)


@rule(
    rf"(?:{NUMBER_BEGINS}|(?<=\dT)){_CLOCK}(?:[:：]([0-5]\d)(?:\.\d+)?)?{_HALF}?"
    rf"(?:\s?[-–—~至到]\s?{_CLOCK}{_HALF}?)?{NUMBER_ENDS}",
    {
        "会议在2:30开始": "会议在两点三十分开始",
        "9:00-18:00营业": "九点到十八点营业",
        "Meet at 9:30 am.": "Meet at nine thirty A M.",
        "at 14:05": "at fourteen oh five",
        "at 7:00": "at seven o'clock",
    },
)
def time_of_day(found: Found) -> str:
    """A time, or a span of times."""
    halves = (found[4].upper(), found[7].upper())
    first = _clock(found, found[1], found[2], found[3], halves[0])
    if not found[5]:
        return first
    last = _clock(found, found[5], found[6], "", halves[1])
    return f"{first}到{last}" if found.mandarin else f"{first} to {last}"


def _clock(found: Found, hours: str, minutes: str, seconds: str, half: str) -> str:
    seconds = "" if seconds == "00" else seconds
    if found.mandarin:
        words = _half_zh(found, half) + count(str(int(hours)), "点") + "点"
        if minutes != "00" or seconds:
            words += _minutes_zh(minutes) + "分"
        return words + (f"{_minutes_zh(seconds)}秒" if seconds else "")
    hour = cardinal(str(int(hours)), "en")
    if minutes == "00" and not seconds:
        words = hour if half else f"{hour} o'clock" if 1 <= int(hours) <= 12 else f"{hour} hundred"
        words = "midnight" if int(hours) % 24 == 0 and not half else words
    else:
        words = f"{hour} {_minutes_en(minutes)}"
        words += f" and {cardinal(str(int(seconds)), 'en')} seconds" if seconds else ""
    return f"{words} {half} M" if half else words


def _half_zh(found: Found, half: str) -> str:
    """Return the word for a.m. or p.m., unless one like it stands before."""
    if _PART_OF_THE_DAY.search(found.before(5)):
        return ""
    return {"A": "上午", "P": "下午"}.get(half, "")


def _minutes_zh(minutes: str) -> str:
    return digits(minutes, "zh") if minutes.startswith("0") else cardinal(minutes, "zh")


def _minutes_en(minutes: str) -> str:
    return f"oh {digits(minutes[1], 'en')}" if minutes[0] == "0" else cardinal(minutes, "en")


@rule(
    rf"{NUMBER_BEGINS}(\d{{1,2}}){_HALF}?\s?[-–—~]\s?(\d{{1,2}}){_HALF}{WORD_ENDS}",
    {"今天9am-5pm": "今天上午九点到下午五点", "open 2-4 pm": "open two to four P M"},
)
def hours_from_to(found: Found) -> str:
    """9am-5pm."""
    first, last = _hour(found, found[1], found[2]), _hour(found, found[3], found[4])
    return f"{first}到{last}" if found.mandarin else f"{first} to {last}"


@rule(
    rf"{NUMBER_BEGINS}(\d{{1,2}}){_HALF}{WORD_ENDS}",
    {"8am to 5pm": "eight A M to five P M", "明早8am": "明早八点", "周三8am": "周三上午八点"},
)
def hour_with_its_half(found: Found) -> str:
    """8am."""
    return _hour(found, found[1], found[2])


def _hour(found: Found, hours: str, half: str) -> str:
    half = half.upper()
    if found.mandarin:
        return f"{_half_zh(found, half)}{count(hours, '点')}点"
    return cardinal(hours, "en") + (f" {half} M" if half else "")


TIMES: Final[tuple[Rule, ...]] = (
    ratio,
    score_with_a_dash,
    duration,
    hours_and_minutes,
    time_of_day,
    hours_from_to,
    hour_with_its_half,
)
