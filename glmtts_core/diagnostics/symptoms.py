"""The names of faults of a sound; a stored experiment holds them."""

from __future__ import annotations

from enum import StrEnum


class Symptom(StrEnum):
    """What can be wrong with a result."""

    NOT_FINITE = "not_finite"
    SILENCE = "silence"
    HALF_SILENT = "half_silent"
    TOO_QUIET = "too_quiet"
    LEVEL_DRIFT = "level_drift"
    CLIPPING = "clipping"
    DC_OFFSET = "dc_offset"
    DROPOUT = "dropout"
    HIGH_FREQUENCY_LOSS = "high_frequency_loss"
    PITCH_DRIFT = "pitch_drift"
    DURATION_DRIFT = "duration_drift"
