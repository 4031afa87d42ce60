"""Examining what a trial has spoken: after its process has ended, so that nothing is disturbed."""

from __future__ import annotations

from pathlib import Path

from glmtts_core.audio import decode
from glmtts_core.diagnostics.quality import Baseline, assess
from glmtts_core.diagnostics.research.dnsmos import mean_opinion
from glmtts_core.diagnostics.trial import Part, Spoken, Trial


def examined(trial: Trial, folder: Path) -> Trial:
    """Return the trial with the faults that were found in each of its results.

    The 50-character text is held against its first synthesis of the same sample rate and voice;
    pitch and predicted rating, which take longer than all else, are measured for this text only.

    Args:
        trial: whose files lie in ``folder``.
        folder: the trial's own.

    Raises:
        AudioError: a file cannot be read, or holds no sound.
        ModelFileError: the network that rates cannot be opened.
        OSError: a file is gone.
    """
    baselines: dict[tuple[int, str], Baseline] = {}
    spoken = tuple(_examined(each, folder, baselines) for each in trial.spoken)
    return trial.model_copy(update={"spoken": spoken})


def _examined(spoken: Spoken, folder: Path, baselines: dict[tuple[int, str], Baseline]) -> Spoken:
    if not spoken.file:
        return spoken
    path = folder / spoken.file
    audio = decode(path.read_bytes(), path.name)
    repeated = spoken.part is Part.TIMED
    rate = audio.sample_rate_hz
    like = (rate, spoken.voice)
    reference = baselines.get(like) if repeated else None
    report = assess(audio.samples, rate, reference=reference, pitch=repeated)
    if repeated:
        baselines.setdefault(like, Baseline.of(report.measures))
    alarms = tuple(finding.symptom for finding in report.findings)
    opinion = mean_opinion(audio.samples, rate).overall if repeated else None
    return spoken.model_copy(update={"alarms": alarms, "opinion": opinion})
