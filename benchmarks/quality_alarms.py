"""How often the quality checks find damage, and how often they accuse clean speech.

    python -m benchmarks.quality_alarms [--syntheses N] [--folder FOLDER]

The built-in voice speaks short texts with every voice, at three speeds and both sample rates. Each
result is judged as it is, against the same sound at the other sample rate as the first synthesis
(this voice always speaks alike), and then with every kind of damage.
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.reporting import count, print_machine
from benchmarks.texts import TEXTS
from glmtts_core.audio import Samples, decode, encode_wav, resample
from glmtts_core.diagnostics.quality import judge
from glmtts_core.diagnostics.sound_measures import measure_sound
from glmtts_core.diagnostics.symptoms import Symptom
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.kokoro.engine import KokoroEngine
from glmtts_core.engines.kokoro.voices import VOICES
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import load_settings
from glmtts_core.speech import SynthesisRequest
from tests.diagnostics.sounds import DAMAGES
from tests.scripted_engine import LoadOnly

#: Characters of the longest text that is spoken: about twenty seconds.
_LONGEST = 140
_SPEEDS = (1.0, 1.0, 0.8, 1.3)
_RATES_HZ = (24_000, 24_000, 32_000)


def main() -> None:
    """Speak, judge, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--syntheses", type=count, default=200)
    parser.add_argument("--folder", type=Path, help="judge the WAV files in here; speak nothing")
    options = parser.parse_args()
    print_machine("onnxruntime", "kokoro-onnx", "soxr", "numpy")
    sounds = _recorded(options.folder) if options.folder else _spoken(options.syntheses)
    clean, alarms, hits = 0, Counter[Symptom](), Counter[Symptom]()
    for name, samples, rate_hz in sounds:
        clean += 1
        # as the page and the laboratory get it: from a 16-bit file
        measures = measure_sound(samples, rate_hz)
        other_hz = 24_000 if rate_hz == 32_000 else 32_000
        first = measure_sound(resample(samples, rate_hz, other_hz), other_hz)
        for finding in judge(measures, first):
            alarms[finding.symptom] += 1
            print(f"false alarm: {name}: {finding.message}")
        for symptom, damage in DAMAGES.items():
            pitch = symptom is Symptom.PITCH_DRIFT  # the rest is quicker without
            damaged = measure_sound(damage(samples, rate_hz), rate_hz, pitch=pitch)
            hits[symptom] += symptom in {each.symptom for each in judge(damaged, first)}
    print(f"\n{'':22} hits of {clean:3d}   false alarms of {clean:3d}")
    for symptom in Symptom:
        print(f"{symptom:22} {hits[symptom]:11d}   {alarms[symptom]:18d}")


def _recorded(folder: Path) -> Iterator[tuple[str, Samples, int]]:
    for path in sorted(folder.glob("*.wav")):
        audio = decode(path.read_bytes(), path.name)
        yield path.name, audio.samples, audio.sample_rate_hz


def _spoken(count: int) -> Iterator[tuple[str, Samples, int]]:
    ledger = Ledger()
    engine = KokoroEngine(load_settings(), ledger)
    caches = SessionCaches("benchmark", ledger)
    every = (text for _, texts in TEXTS.values() for text in texts)
    texts = [text for text in every if len(text) < _LONGEST]
    wanted = itertools.islice(enumerate(itertools.product(texts, VOICES)), count)
    for number, (text, voice) in wanted:
        rate_hz, speed = _RATES_HZ[number % len(_RATES_HZ)], _SPEEDS[number % len(_SPEEDS)]
        request = SynthesisRequest(text=text, voice=voice.id, sample_rate_hz=rate_hz, speed=speed)
        audio = engine.synthesize(request, caches, LoadOnly())
        wav = encode_wav(audio.samples, rate_hz)
        yield f"{text} ({voice.id}, {speed}, {rate_hz} Hz)", decode(wav, "spoken").samples, rate_hz


if __name__ == "__main__":
    main()
