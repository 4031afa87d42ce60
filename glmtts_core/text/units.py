"""Units of measurement by their exact writing: what 5g, 5 kg and 5 km/h are called.

Capital letters that are no unit of their own (5G, 16G, 4K) are not here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Unit:
    """How a unit is called: in Mandarin, and in English for one and for many."""

    zh: str
    one: str
    many: str


_TABLE: Final = """
mm 毫米 millimeter millimeters
cm 厘米 centimeter centimeters
dm 分米 decimeter decimeters
m 米 meter meters
km 公里 kilometer kilometers
nm 纳米 nanometer nanometers
μm|um 微米 micrometer micrometers
ft 英尺 foot feet
inch|inches 英寸 inch inches
yd 码 yard yards
mi 英里 mile miles
mm² 平方毫米 square_millimeter square_millimeters
cm² 平方厘米 square_centimeter square_centimeters
m²|m2|sqm 平方米 square_meter square_meters
km²|km2 平方公里 square_kilometer square_kilometers
ft² 平方英尺 square_foot square_feet
hm²|ha 公顷 hectare hectares
mm³ 立方毫米 cubic_millimeter cubic_millimeters
cm³ 立方厘米 cubic_centimeter cubic_centimeters
m³|m3 立方米 cubic_meter cubic_meters
L|l 升 liter liters
ml|mL|ML 毫升 milliliter milliliters
μL 微升 microliter microliters
cc|CC 毫升 cc cc
g 克 gram grams
kg|Kg|KG 千克 kilogram kilograms
mg 毫克 milligram milligrams
μg|ug|mcg 微克 microgram micrograms
t 吨 ton tons
lb|lbs 磅 pound pounds
oz 盎司 ounce ounces
tbsp|Tbsp 汤匙 tablespoon tablespoons
tsp 茶匙 teaspoon teaspoons
ns 纳秒 nanosecond nanoseconds
μs|us 微秒 microsecond microseconds
ms 毫秒 millisecond milliseconds
s|sec 秒 second seconds
min|mins 分钟 minute minutes
h|hr|hrs 小时 hour hours
Hz|hz|HZ 赫兹 hertz hertz
kHz|KHz|khz 千赫兹 kilohertz kilohertz
MHz|Mhz 兆赫兹 megahertz megahertz
GHz|Ghz 吉赫兹 gigahertz gigahertz
THz 太赫兹 terahertz terahertz
dB|db|DB 分贝 decibel decibels
dBm 分贝毫瓦 dBm dBm
V|v 伏 volt volts
mV 毫伏 millivolt millivolts
kV|KV 千伏 kilovolt kilovolts
W 瓦 watt watts
mW 毫瓦 milliwatt milliwatts
kW|KW 千瓦 kilowatt kilowatts
MW 兆瓦 megawatt megawatts
GW 吉瓦 gigawatt gigawatts
Wh 瓦时 watt_hour watt_hours
kWh|KWh|kwh 千瓦时 kilowatt_hour kilowatt_hours
A 安 ampere amperes
mA 毫安 milliampere milliamperes
Ah 安时 ampere_hour ampere_hours
mAh|mah 毫安时 milliampere_hour milliampere_hours
Ω 欧姆 ohm ohms
kΩ 千欧 kilohm kilohms
MΩ 兆欧 megohm megohms
μF 微法 microfarad microfarads
pF 皮法 picofarad picofarads
N 牛 newton newtons
kN 千牛 kilonewton kilonewtons
N·m|Nm 牛米 newton_meter newton_meters
Pa 帕 pascal pascals
hPa 百帕 hectopascal hectopascals
kPa 千帕 kilopascal kilopascals
MPa|Mpa 兆帕 megapascal megapascals
GPa 吉帕 gigapascal gigapascals
mmHg 毫米汞柱 millimeter_of_mercury millimeters_of_mercury
bar 巴 bar bars
psi P_S_I psi psi
J 焦 joule joules
kJ|KJ 千焦 kilojoule kilojoules
MJ 兆焦 megajoule megajoules
cal 卡 calorie calories
kcal|Kcal 千卡 kilocalorie kilocalories
mol 摩尔 mole moles
mmol 毫摩尔 millimole millimoles
μmol 微摩尔 micromole micromoles
lm 流明 lumen lumens
lx|lux 勒克斯 lux lux
px 像素 pixel pixels
MP 百万像素 megapixel megapixels
rad 弧度 radian radians
acre|acres 英亩 acre acres
KB|kB KB kilobyte kilobytes
MB MB megabyte megabytes
GB GB gigabyte gigabytes
TB TB terabyte terabytes
PB PB petabyte petabytes
MiB MiB mebibyte mebibytes
GiB GiB gibibyte gibibytes
bps 比特每秒 bit_per_second bits_per_second
kbps|Kbps 千比特每秒 kilobit_per_second kilobits_per_second
Mbps 兆比特每秒 megabit_per_second megabits_per_second
Gbps 吉比特每秒 gigabit_per_second gigabits_per_second
mph 英里每小时 mile_per_hour miles_per_hour
kph 公里每小时 kilometer_per_hour kilometers_per_hour
rpm|RPM 转每分钟 revolution_per_minute revolutions_per_minute
bpm|BPM 次每分钟 beat_per_minute beats_per_minute
fps|FPS 帧每秒 frame_per_second frames_per_second
°C 摄氏度 degree_Celsius degrees_Celsius
°F 华氏度 degree_Fahrenheit degrees_Fahrenheit
° 度 degree degrees
% 百分之 percent percent
‰ 千分之 per_mille per_mille
‱ 万分之 per_ten_thousand per_ten_thousand
"""
_SECOND: Final = {"s²": Unit("二次方秒", "second squared", "seconds squared")}
#: Units allowed only after a slash, in addition to the units themselves.
_UNDER: Final = {
    "d": Unit("天", "day", "days"),
    "r": Unit("转", "revolution", "revolutions"),
    "dL": Unit("分升", "deciliter", "deciliters"),
    "week": Unit("周", "week", "weeks"),
    "day": Unit("天", "day", "days"),
    "year": Unit("年", "year", "years"),
}


def _rows() -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    for line in _TABLE.strip().splitlines():
        writings, *names = line.split()
        unit = Unit(*(name.replace("_", " ") for name in names))
        found |= dict.fromkeys(writings.split("|"), unit)
    return found


UNITS: Final = _rows()
_SIMPLE: Final = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_DIVISORS: Final = UNITS | _SECOND | _UNDER
_BELOW: Final = "|".join(re.escape(unit) for unit in sorted(_DIVISORS, key=len, reverse=True))
#: Pattern of a unit, simple or divided: km/h, m/s², mmol/L; "m·s⁻¹" is not known.
UNIT: Final = rf"(?:r/min|(?:{_SIMPLE})(?:/(?:{_BELOW}))?)"


def unit_named(writing: str) -> Unit:
    """Return what a writing that `UNIT` matches is called, or "in", which is a word elsewhere."""
    if writing == "r/min":
        return UNITS["rpm"]
    above, _, below = writing.partition("/")
    unit = UNITS["inch" if above == "in" else above]
    if not below:
        return unit
    under = _DIVISORS[below]
    return Unit(
        f"{unit.zh}每{under.zh}", f"{unit.one} per {under.one}", f"{unit.many} per {under.one}"
    )
