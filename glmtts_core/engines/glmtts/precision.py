"""In which precision each network computes: what is wanted, else what is fast on the device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import torch

from glmtts_core.engines.glmtts.networks.flow import Precision
from glmtts_core.settings import Settings

_CPUINFO: Final = Path("/proc/cpuinfo")
#: Flags of processors that multiply bfloat16 in hardware (x86 and Arm); others emulate it, slowly.
_BFLOAT16_FLAGS: Final = ("amx_bf16", "avx512_bf16", "bf16")

FlowChoice = Literal["auto", "float32", "mixed"]


@dataclass(frozen=True, slots=True)
class Precisions:
    """The wanted precisions, independent of the device.

    Attributes:
        int8: whether the language model is wanted in 8-bit integers.
        flow: what the flow is wanted in.
    """

    int8: bool = False
    flow: FlowChoice = "auto"

    @classmethod
    def of(cls, settings: Settings) -> Precisions:
        """Return what the settings ask for."""
        return cls(settings.language_model_int8, settings.flow_precision)

    def language_model_dtype(self, device: torch.device) -> torch.dtype:
        """Return what the language model's weights are on ``device``."""
        return language_model_dtype(device, int8=self.int8)

    def flow_precision(self, device: torch.device) -> Precision:
        """Return what the flow computes in on ``device``."""
        return flow_precision(device, self.flow)


DEFAULT_PRECISIONS: Final = Precisions()


@cache
def bfloat16_instructions() -> tuple[str, ...]:
    """Return the processor's bfloat16 instruction sets; empty where they are unknown."""
    try:
        lines = _CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ()
    flags = {
        flag
        for line in lines
        if line.lower().startswith(("flags", "features"))
        for flag in line.partition(":")[2].split()
    }
    return tuple(each for each in _BFLOAT16_FLAGS if each in flags)


def has_fast_bfloat16(device: torch.device) -> bool:
    """Return whether the device multiplies bfloat16 in hardware.

    A GPU that PyTorch has not opened yet counts as fast: asking it would open a CUDA context, and
    fail where PyTorch cannot use it.
    """
    if device.type == "cuda":
        if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            return True
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(bfloat16_instructions())


def language_model_dtype(device: torch.device, *, int8: bool = False) -> torch.dtype:
    """Return what the language model's weights are: bfloat16 wherever that is fast.

    Args:
        device: where it computes.
        int8: whether 8-bit integers are wanted; they are for the CPU.
    """
    if int8 and device.type == "cpu":
        return torch.int8
    return torch.bfloat16 if has_fast_bfloat16(device) else torch.float32


def flow_precision(device: torch.device, wanted: FlowChoice = "auto") -> Precision:
    """Return what the flow computes in: what is wanted, by default mixed wherever bfloat16 is fast.

    We ask for a mel 40 dB over the error of mixed precision; it is 62 dB on the golden vectors and
    65 dB at full size (``python -m benchmarks.glmtts --precision`` measures it).
    """
    if wanted != "auto":
        return wanted
    return "mixed" if has_fast_bfloat16(device) else "float32"
