"""Numbers, dates, units and currency become words."""

from __future__ import annotations

import pytest

from glmtts_core.text.normalize import normalize


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("今天是2024年3月5日", "今天是二零二四年三月五日"),
        ("气温25.5℃，湿度60%", "气温二十五点五摄氏度，湿度百分之六十"),
        ("速度120km/h", "速度每小时一百二十公里"),
        ("价格1,234元", "价格一千二百三十四元"),
        ("1/3的人", "三分之一的人"),
        ("1 1/2杯", "一又二分之一杯"),
        ("10~20人", "十到二十人"),
        ("10 ～ 20人", "十到二十人"),
        ("2024~2026年", "二零二四到二零二六年"),
        ("-5~3℃", "负五到三摄氏度"),
        ("25%~30%", "百分之二十五到百分之三十"),
        ("3月5日～8日", "三月五日到八日"),
        ("10万～20万", "十万到二十万"),
        ("你好～", "你好～"),
        ("1990s的", "一九九零年代的"),
        ("1990s年代", "一九九零年代"),
        ("耗时1200s", "耗时一千二百秒"),
        ("二〇二四年", "二零二四年"),
        ("我們去銀行", "我们去银行"),
        ("今天天气很好。", "今天天气很好。"),
    ],
)
def test_mandarin_is_written_out(text, expected):
    assert normalize(text, "zh") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I have 3 apples", "I have three apples"),
        ("in 1999", "in nineteen ninety nine"),
        ("the 1990s", "the nineteen nineties"),
        ("the 1800s and the 2000s", "the eighteen hundreds and the two thousands"),
        ("the 1990's", "the nineteen nineties"),
        ("after 15s", "after fifteen seconds"),
        ("10~20 people", "ten to twenty people"),
        ("9am ~ 5pm", "nine AM to five PM"),
        ("~5 people", "about five people"),
        ("Hello~", "Hello,"),
        ("1 1/2 cups", "one and a half cups"),
        ("It costs $3.50", "It costs three point five dollars"),
        ("GPT-4 is out", "GPT four is out"),
        ("He paid $1,234", "He paid one thousand two hundred and thirty four dollars"),
        ("Don't stop, it's fine.", "Don't stop, it's fine."),
    ],
)
def test_english_is_written_out(text, expected):
    assert normalize(text, "en") == expected
