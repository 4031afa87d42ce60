"""``parity``: a report on this machine that is worth attaching to a bug."""

from __future__ import annotations

import sys

import torch

from glmtts_core.cli.task import Invocation
from glmtts_core.cli.terminal import StatusLine
from glmtts_core.engines.base import Progress
from glmtts_core.engines.glmtts.device_check import confirm_device
from glmtts_core.engines.glmtts.parity_report import parity_report
from glmtts_core.engines.labels import progress_line
from glmtts_core.memory.device import choose_device, nvml_for


def print_parity(rehearse: bool, invocation: Invocation) -> int:
    """Print the report; return 0 if all is equal to the reference, else 1.

    Raises:
        SettingsError, EngineError: a GPU was asked for and there is none, or PyTorch cannot use it.
    """
    settings, language = invocation.settings, invocation.language
    proposed = choose_device(settings.device, nvml_for(settings.device))
    confirmed = confirm_device(torch.device(proposed.device), settings.device)
    message = proposed.message or confirmed.message
    if message is not None:
        print(message.text(language), file=sys.stderr)

    with StatusLine() as status:

        def tell(progress: Progress) -> None:
            status.update(progress_line(progress, language), progress.fraction)

        report = parity_report(settings, str(confirmed.device), rehearse=rehearse, on_progress=tell)
    print("\n".join(report.lines))
    return 0 if report.passed else 1
