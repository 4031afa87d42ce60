"""The command ``parity``: a report on this machine that is worth attaching to a bug."""

from __future__ import annotations

import sys

import torch

from glmtts_core.catalogue import Language
from glmtts_core.engines.base import Progress
from glmtts_core.engines.glmtts.device_check import confirm_device
from glmtts_core.engines.glmtts.parity_report import parity_report
from glmtts_core.engines.labels import progress_line
from glmtts_core.memory.device import choose_device, nvml_for
from glmtts_core.settings import Settings


def print_parity(settings: Settings, language: Language, *, rehearse: bool) -> int:
    """Print the report; return 0 if all is equal to the reference, else 1.

    Raises:
        SettingsError, EngineError: a GPU was asked for and there is none, or PyTorch cannot use it.
    """
    proposed = choose_device(settings.device, nvml_for(settings.device))
    confirmed = confirm_device(torch.device(proposed.device), settings.device)
    message = proposed.message or confirmed.message
    if message is not None:
        print(message.text(language), file=sys.stderr)

    def show(progress: Progress) -> None:
        if sys.stderr.isatty():
            line = progress_line(progress, language)
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)

    report = parity_report(settings, str(confirmed.device), rehearse=rehearse, on_progress=show)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    print("\n".join(report.lines))
    return 0 if report.passed else 1
