"""The folders of experiments, each with findings and recordings; old ones are removed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from glmtts_core.diagnostics.findings import FINDINGS_FILE
from glmtts_core.diagnostics.trial import Trial, TrialPart
from glmtts_core.files import clear_old_folders

AUDIO_FOLDER: Final = "audio"


def experiments(root: Path) -> list[Path]:
    """Return the folders of all experiments in ``root``, the newest last."""
    # their names begin with the moment they began
    return sorted(path.parent for path in root.glob(f"*/{FINDINGS_FILE}"))


def clear_old_experiments(root: Path, max_age_days: float) -> int:
    """Remove experiments untouched for ``max_age_days``, the newest never; return how many."""
    return clear_old_folders(experiments(root)[:-1], max_age_days)


def keep_audio(trial: Trial, scratch: Path, folder: Path) -> None:
    """Keep an arm's first trial's growing and timed texts for listening, one file a text.

    Args:
        trial: whose files lie in ``scratch``.
        scratch: the trial's own folder.
        folder: the arm's; if it exists already, nothing is kept.
    """
    if folder.exists():
        return
    folder.mkdir(parents=True)
    for spoken in trial.of_part(TrialPart.GROWING, TrialPart.TIMED):
        source = scratch / spoken.file
        if spoken.file and source.is_file():
            shutil.copyfile(source, folder / f"{spoken.part.value}-{spoken.index}.wav")
