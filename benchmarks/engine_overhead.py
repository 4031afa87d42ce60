"""What our engine costs over a bare kokoro-onnx call on the same phonemes (target: 3 % at most).

    python -m benchmarks.engine_overhead [--runs 9] [--text TEXT]

Both sit in one process and take turns, so that whatever else the machine does hits both alike.
Seconds on the clock and seconds of processor time are compared, run by run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from kokoro_onnx import Kokoro

from benchmarks.reporting import Figure, count, print_figures, print_machine
from glmtts_core.engines.base import CancelToken, Progress
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.kokoro.engine import KokoroEngine
from glmtts_core.engines.kokoro.model_file import japanese_voices_path, model_path
from glmtts_core.engines.kokoro.phonemes import Phonemizer
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import load_settings
from glmtts_core.speech import SynthesisRequest

TEXT: Final = "今天天气很好，我们一起去公园散步吧。"
VOICE: Final = "jf_alpha"


@dataclass
class Control:
    """A job that nobody watches."""

    cancel: CancelToken = field(default_factory=CancelToken)

    def report(self, progress: Progress) -> None:
        """Take no notice."""

    def safe_point(self) -> None:
        """Nothing waits."""


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that ``work`` took: on the clock, and of processor time."""
    clock_s, processor_s = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock_s, time.process_time() - processor_s


def main() -> None:
    """Measure, and print every ratio's spread."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=count, default=9)
    parser.add_argument("--text", default=TEXT, help="what is spoken: one short sentence")
    options = parser.parse_args()
    settings = load_settings()
    print_machine("kokoro-onnx", "onnxruntime")

    engine, caches = KokoroEngine(settings, Ledger()), SessionCaches("benchmark", Ledger())
    engine.load(Control())
    bare = Kokoro(str(model_path(settings.cache_dir)), str(japanese_voices_path()))
    phonemizer = Phonemizer(settings.cache_dir)
    phonemizer.load_english()
    phonemizer.load_mandarin()
    (piece,) = phonemizer.pieces(options.text)

    def ours() -> None:
        engine.synthesize(SynthesisRequest(text=options.text, voice=VOICE), caches, Control())

    def theirs() -> None:
        bare.create(piece.phonemes, VOICE, is_phonemes=True)

    ours()
    theirs()
    measured = [(seconds(theirs), seconds(ours)) for _ in range(options.runs)]
    print_figures(
        [
            Figure("bare kokoro-onnx", [bare_s for (bare_s, _), _ in measured], "s"),
            Figure("our engine", [our_s for _, (our_s, _) in measured], "s"),
            Figure(
                "ours / bare, clock",
                [our_s / bare_s for (bare_s, _), (our_s, _) in measured],
                "x",
                "<= 1.03",
            ),
            Figure(
                "ours / bare, processor",
                [our_s / bare_s for (_, bare_s), (_, our_s) in measured],
                "x",
                "<= 1.03",
            ),
        ]
    )


if __name__ == "__main__":
    main()
