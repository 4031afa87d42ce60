"""Which device computes; CUDA is hidden before PyTorch is imported where it is not to be used."""

from __future__ import annotations

import os

from glmtts_core.errors import SettingsError
from glmtts_core.memory.nvml import Nvml


def choose_device(wanted: str, nvml: Nvml) -> str:
    """Return "cpu" or "cuda:N" for a ``GLMTTS_DEVICE`` of auto, cpu, cuda or cuda:N.

    Decided by NVML, so that PyTorch (seconds and hundreds of MB) is not imported for it. For the
    CPU, ``CUDA_VISIBLE_DEVICES`` is emptied: PyTorch then never opens a CUDA context.

    Raises:
        SettingsError: a GPU was asked for by name and there is none.
    """
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") == ""
    reading = nvml.read()
    usable = bool(reading.devices) and not hidden
    if wanted == "cpu" or (wanted == "auto" and not usable):
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        return "cpu"
    index = int(wanted.partition(":")[2] or 0)
    if not usable:
        reasons = [problem.text("en") for problem in reading.problems]
        raise SettingsError("studio.no_cuda", device=wanted, reason=" ".join(reasons))
    if index >= len(reading.devices):
        raise SettingsError("studio.no_such_gpu", device=wanted, count=len(reading.devices))
    return f"cuda:{index}"
