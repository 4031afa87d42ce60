"""Whether a recording can serve as a voice: length, loudness, clipping, noise.

An unusable recording is an error, one that worsens the result a hint. Knows nothing about
networks.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from glmtts_core.audio import Samples, to_mono
from glmtts_core.errors import AudioError
from glmtts_core.message import Message
from glmtts_core.speech import ReferenceAudio

#: Shortest and longest reference, in seconds.
SHORTEST_S: Final = 3.0
LONGEST_S: Final = 30.0
#: Loudest 50 ms below which a recording counts as silent: -50 dB below full scale.
_SILENT_RMS: Final = 0.00316
#: A sample so near to full scale was cut off, if its neighbours are too.
_CLIPPED_LEVEL: Final = 0.999
#: Share of cut-off samples from which on clipping is heard.
_CLIPPED_SHARE: Final = 0.001
#: Speech stands so far above the pauses in a usable recording, in dB.
_LEAST_RANGE_DB: Final = 15.0
#: Length of the frames in which loudness is measured.
_FRAME_S: Final = 0.05
#: The loud and the quiet frames that are compared, as percentiles.
_LOUD: Final = 90.0
_QUIET: Final = 5.0


def check_reference(reference: ReferenceAudio) -> None:
    """Raise where ``reference`` cannot serve as a voice.

    Raises:
        AudioError: it is shorter than 3 s or longer than 30 s, or silent.
    """
    seconds = len(reference.samples) / reference.sample_rate_hz
    details = {"name": reference.name, "seconds": f"{seconds:.1f}"}
    if seconds < SHORTEST_S:
        raise AudioError("voice.too_short", limit=f"{SHORTEST_S:g}", **details)
    if seconds > LONGEST_S:
        raise AudioError("voice.too_long", limit=f"{LONGEST_S:g}", **details)
    if float(_frame_rms(reference).max()) < _SILENT_RMS:
        raise AudioError("voice.silent", name=reference.name)


def reference_hints(reference: ReferenceAudio) -> tuple[Message, ...]:
    """Return hints that would improve the cloned voice."""
    hints = recording_hints(reference)
    if not reference.transcript.strip():
        hints += (Message("voice.no_transcript", {"name": reference.name}),)
    return hints


def recording_hints(reference: ReferenceAudio) -> tuple[Message, ...]:
    """Return the hints that follow from the sound alone."""
    hints = []
    if _clipped_share(reference.samples) > _CLIPPED_SHARE:
        hints.append(Message("voice.clipped", {"name": reference.name}))
    if _loudness_range_db(reference) < _LEAST_RANGE_DB:
        hints.append(Message("voice.noisy", {"name": reference.name}))
    return tuple(hints)


def _frame_rms(reference: ReferenceAudio) -> npt.NDArray[np.float64]:
    """Return the loudness of each 50 ms, shape (frames,); at least one."""
    mono = to_mono(reference.samples)
    width = max(1, int(reference.sample_rate_hz * _FRAME_S))
    frames = max(1, len(mono) // width)
    framed = mono[: frames * width].reshape(frames, -1)
    rms: npt.NDArray[np.float64] = np.sqrt(np.mean(np.square(framed, dtype=np.float64), axis=1))
    return rms


def _clipped_share(samples: Samples) -> float:
    """Return the share of samples that stand at full scale beside another one."""
    full = np.abs(samples) >= _CLIPPED_LEVEL
    both = full[1:] & full[:-1]
    return float(both.mean()) if both.size else 0.0


def _loudness_range_db(reference: ReferenceAudio) -> float:
    """Return how far loud frames stand above quiet ones: the pauses show the noise."""
    loud, quiet = np.percentile(_frame_rms(reference), [_LOUD, _QUIET])
    return float(20.0 * np.log10(max(loud, 1e-9) / max(quiet, 1e-9)))
