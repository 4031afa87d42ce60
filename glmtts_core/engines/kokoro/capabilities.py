"""What the built-in voices can do; importing this brings no network runtime."""

from __future__ import annotations

from typing import Final

from glmtts_core.byte_units import MIB
from glmtts_core.engines.capabilities import Capabilities, SampleRate
from glmtts_core.engines.kokoro.voices import VOICES
from glmtts_core.memory.cleanup import CleanupLevel

#: What the network speaks.
SAMPLE_RATE_HZ: Final = 24_000
SPEED_RANGE: Final = (0.5, 2.0)
#: Growth of the resident set by a first load, including the libraries' code.
LOAD_BYTES: Final = 900 * MIB

CAPABILITIES: Final = Capabilities(
    engine="Kokoro-82M",
    device="cpu",
    voices=VOICES,
    voice_cloning=False,
    sample_rates=(SampleRate(SAMPLE_RATE_HZ), SampleRate(32_000, resampled=True)),
    speed_range=SPEED_RANGE,
    sampling_methods=(),
    seed=False,
    history=False,
    release_levels=(CleanupLevel.TRIM, CleanupLevel.UNLOAD),
    load_bytes=LOAD_BYTES,
)
