"""The faults of one spoken result that can be measured, each with its threshold.

Clean speech stays far from the thresholds (`benchmarks/quality_alarms.py` prints hits and false
alarms). Wrong words or a dull voice cannot be measured this way and are not judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from glmtts_core.audio import Samples
from glmtts_core.diagnostics.levels import INAUDIBLE_DBFS
from glmtts_core.diagnostics.sound_measures import SoundMeasures, measure_sound
from glmtts_core.diagnostics.symptoms import Symptom
from glmtts_core.message import Message

#: Silence at one end of a result: engines leave tenths of a second there, no third of the whole.
HALF_SILENT_S: Final = 0.5
HALF_SILENT_PERCENT: Final = 35.0
#: Pauses take up to half of spontaneous speech (Goldman-Eisler 1968), and less when read aloud.
SILENT_PERCENT: Final = 60.0
#: Share of samples in flat tops at full scale; clean syntheses stay below a fifth of it.
CLIPPED_PERCENT: Final = 0.1
#: 20 dB below the -26 dBov to which speech is set for listening tests (ITU-T P.56, P.830).
QUIET_DBFS: Final = -46.0
#: 10 dB are heard as half or twice as loud (Stevens 1955).
LEVEL_DRIFT_DB: Final = 10.0
#: In percent of full scale: -40 dB; clean syntheses stay below a fifth of it.
DC_OFFSET_PERCENT: Final = 1.0
#: One gap with speech at full strength on both sides is one too many.
GAPS: Final = 1
#: Energy of 4-8 kHz over 0.3-4 kHz; telephone speech (ITU-T G.712 ends it at 3.4 kHz) lies below.
HIGH_BAND_DB: Final = -38.0
#: The same against the first synthesis: a fourth of the upper band's amplitude.
HIGH_BAND_DRIFT_DB: Final = 12.0
#: Smaller changes of pitch play no part in how speech is understood ('t Hart 1981).
PITCH_DRIFT_SEMITONES: Final = 3.0
#: Four times the change of tempo that listeners just notice (Quené 2007).
DURATION_DRIFT_PERCENT: Final = 20.0


#: Silent, quiet or breaking audio: what users report when memory runs short.
MEMORY_SYMPTOMS: Final = frozenset(
    {
        Symptom.NOT_FINITE,
        Symptom.SILENCE,
        Symptom.HALF_SILENT,
        Symptom.TOO_QUIET,
        Symptom.DROPOUT,
    }
)


class Verdict(StrEnum):
    """Whether a result has faults; NOT_MEANINGFUL: the network's weights are random."""

    SOUND = "sound"
    FAULTY = "faulty"
    NOT_MEANINGFUL = "not_meaningful"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the measured value and the threshold it passes, in the symptom's unit."""

    symptom: Symptom
    value: float
    threshold: float

    @property
    def message(self) -> Message:
        """What was found, in one sentence."""
        details = {"value": f"{self.value:.3g}", "threshold": f"{self.threshold:.3g}"}
        return Message(f"quality.finding.{self.symptom}", details)


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The verdict on one result, what was measured, and the faults that were found."""

    verdict: Verdict
    measures: SoundMeasures
    findings: tuple[Fault, ...]

    @property
    def memory_symptoms(self) -> tuple[Fault, ...]:
        """The findings that a shortage of memory can cause."""
        return tuple(each for each in self.findings if each.symptom in MEMORY_SYMPTOMS)

    @property
    def message(self) -> Message:
        """The verdict in one sentence."""
        return Message(f"quality.verdict.{self.verdict}", {"count": len(self.findings)})


def assess(
    samples: Samples,
    sample_rate_hz: int,
    *,
    first: SoundMeasures | None = None,
    meaningful: bool = True,
    pitch: bool = True,
) -> QualityReport:
    """Measure one result and judge it.

    Args:
        samples: float32, shape (frames,) or (frames, channels), full scale ±1.
        sample_rate_hz: their rate.
        first: measures of the first synthesis of the same text and voice, to detect drift; None
            detects none.
        meaningful: False for a network with random weights, whose sound is noise by nature.
        pitch: measure the pitch too; that imports PyTorch.
    """
    measures = measure_sound(samples, sample_rate_hz, pitch=pitch)
    if not meaningful:
        return QualityReport(Verdict.NOT_MEANINGFUL, measures, ())
    findings = tuple(judge(measures, first))
    return QualityReport(Verdict.FAULTY if findings else Verdict.SOUND, measures, findings)


def judge(measures: SoundMeasures, first: SoundMeasures | None = None) -> list[Fault]:
    """Return the faults that the figures show; silence hides all others."""
    level = measures.active_level_dbfs
    if not measures.finite:
        return [Fault(Symptom.NOT_FINITE, 0.0, 0.0)]
    if level < INAUDIBLE_DBFS:
        return [Fault(Symptom.SILENCE, level, INAUDIBLE_DBFS)]
    found = [
        _half_silent(measures),
        _below(Symptom.TOO_QUIET, level, QUIET_DBFS),
        _above(Symptom.CLIPPING, 100.0 * measures.clipped_fraction, CLIPPED_PERCENT),
        _above(Symptom.DC_OFFSET, 100.0 * abs(measures.dc_offset), DC_OFFSET_PERCENT),
        _above(Symptom.DROPOUT, measures.gaps, GAPS),
        _below(Symptom.HIGH_FREQUENCY_LOSS, measures.high_band_db, HIGH_BAND_DB),
    ]
    if first is not None:
        pitch_drift = _pitch_drift_semitones(measures, first)
        duration_drift = _duration_drift_percent(measures, first)
        found += [
            _above(Symptom.LEVEL_DRIFT, abs(level - first.active_level_dbfs), LEVEL_DRIFT_DB),
            _high_frequency_drift(measures, first),
            _above(Symptom.PITCH_DRIFT, abs(pitch_drift), PITCH_DRIFT_SEMITONES),
            _above(Symptom.DURATION_DRIFT, abs(duration_drift), DURATION_DRIFT_PERCENT),
        ]
    return [finding for finding in found if finding is not None]


def _half_silent(measures: SoundMeasures) -> Fault | None:
    longest_s = max(measures.leading_silence_s, measures.trailing_silence_s)
    at_one_end = 100.0 * longest_s / measures.duration_s
    if longest_s >= HALF_SILENT_S and at_one_end >= HALF_SILENT_PERCENT:
        return Fault(Symptom.HALF_SILENT, at_one_end, HALF_SILENT_PERCENT)
    return _above(Symptom.HALF_SILENT, 100.0 * measures.silent_fraction, SILENT_PERCENT)


def _high_frequency_drift(measures: SoundMeasures, first: SoundMeasures) -> Fault | None:
    if measures.high_band_db is None or first.high_band_db is None:
        return None
    if measures.high_band_db < HIGH_BAND_DB:
        return None  # found without the comparison already
    threshold = first.high_band_db - HIGH_BAND_DRIFT_DB
    return _below(Symptom.HIGH_FREQUENCY_LOSS, measures.high_band_db, threshold)


def _pitch_drift_semitones(measures: SoundMeasures, first: SoundMeasures) -> float:
    """Return how far the median pitch has moved, positive upwards; 0 where it is not known."""
    if measures.pitch_median_hz is None or first.pitch_median_hz is None:
        return 0.0
    return 12.0 * math.log2(measures.pitch_median_hz / first.pitch_median_hz)


def _duration_drift_percent(measures: SoundMeasures, first: SoundMeasures) -> float:
    """Return how much longer the result is than the first, in percent of the first."""
    if not first.duration_s:
        return 0.0
    return 100.0 * (measures.duration_s / first.duration_s - 1.0)


def _above(symptom: Symptom, value: float, threshold: float) -> Fault | None:
    return Fault(symptom, value, threshold) if value >= threshold else None


def _below(symptom: Symptom, value: float | None, threshold: float) -> Fault | None:
    if value is None or value > threshold:
        return None
    return Fault(symptom, value, threshold)
