"""Recordings that a user might upload, and texts of the lengths that tests need."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import soundfile

from tests.browser.tab import ReferenceFile

#: About five seconds of speech.
SHORT: Final = "The kettle is on, and the cat is asleep beside the stove."
#: About fifteen seconds of speech: long enough to reload the page while it is spoken.
MIDDLE: Final = " ".join(
    f"On day {day} the ferry leaves the harbour at noon and returns before dark."
    for day in range(1, 4)
)
#: Some minutes of speech: nobody waits for its end.
LONG: Final = " ".join(
    f"Chapter {number} tells of the long road across the hills and of those who walked it."
    for number in range(1, 46)
)


def _wav(samples: np.ndarray, subtype: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format="WAV", subtype=subtype)
    return file.getvalue()


def _tone() -> np.ndarray:
    return 0.2 * np.sin(2 * np.pi * 220 * np.arange(32_000) / 16_000)


def _murmur() -> np.ndarray:
    frames = 4 * 16_000
    noise = np.random.default_rng(0).standard_normal(frames)
    return 0.1 * noise * np.sin(np.linspace(0, 12 * np.pi, frames)) ** 2


GOOD: Final = ReferenceFile("grandmother.wav", _wav(_tone()))
#: As long as a reference recording should be, and rising and falling like speech.
CLONABLE: Final = ReferenceFile("aunt.wav", _wav(_murmur()))
EMPTY: Final = ReferenceFile("empty.wav", b"")
RENAMED_TEXT: Final = ReferenceFile("shopping-list.wav", b"bread, milk, two lemons\n" * 40)
NOT_A_NUMBER: Final = ReferenceFile("broken.wav", _wav(np.full(16_000, np.nan), "FLOAT"))
