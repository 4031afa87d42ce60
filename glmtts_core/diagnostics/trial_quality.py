"""Examining the sounds of a trial; done after its engine has ended, so as not to disturb it."""

from __future__ import annotations

from pathlib import Path

from glmtts_core.audio import decode
from glmtts_core.diagnostics.quality import assess
from glmtts_core.diagnostics.research.dnsmos import mean_opinion
from glmtts_core.diagnostics.sound_measures import SoundMeasures
from glmtts_core.diagnostics.trial import Spoken, Trial, TrialPart


def examined(trial: Trial, folder: Path) -> Trial:
    """Return the trial with the faults that were found in each of its results.

    The 50-character text is compared with its first synthesis at the same sample rate and voice.
    Pitch and predicted rating, the slowest measurements, are taken for this text only.

    Args:
        trial: whose files lie in ``folder``.
        folder: the trial's own.

    Raises:
        AudioError: a file cannot be read, or holds no sound.
        ModelFileError: the network that rates cannot be opened.
        OSError: a file is gone.
    """
    firsts: dict[tuple[int, str], SoundMeasures] = {}
    spoken = tuple(_examined(each, folder, firsts) for each in trial.spoken)
    return trial.model_copy(update={"spoken": spoken})


def _examined(spoken: Spoken, folder: Path, firsts: dict[tuple[int, str], SoundMeasures]) -> Spoken:
    if not spoken.file:
        return spoken
    path = folder / spoken.file
    audio = decode(path.read_bytes(), path.name)
    repeated = spoken.part is TrialPart.TIMED
    rate = audio.sample_rate_hz
    setting = (rate, spoken.voice)
    first = firsts.get(setting) if repeated else None
    report = assess(audio.samples, rate, first=first, pitch=repeated)
    if repeated:
        firsts.setdefault(setting, report.measures)
    alarms = tuple(finding.symptom for finding in report.findings)
    opinion = mean_opinion(audio.samples, rate).overall if repeated else None
    return spoken.model_copy(update={"alarms": alarms, "opinion": opinion})
