"""Setting a real memory limit for this process, at which allocations fail."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from glmtts_core.errors import DiagnosticsError

_STATUS: Final = Path("/proc/self/status")


def limit_memory(device: str, headroom_bytes: int) -> None:
    """Let this process take at most ``headroom_bytes`` more than it holds now.

    On the CPU the kernel refuses further private memory (``RLIMIT_DATA``, which since Linux 4.7
    counts every private writable mapping); on CUDA torch's allocator refuses.

    Args:
        device: "cpu", "cuda" or "cuda:N", where the engine computes.
        headroom_bytes: how much more it may take.

    Raises:
        DiagnosticsError: this system has no such limit.
    """
    if device.startswith("cuda"):
        _limit_cuda(device, headroom_bytes)
    else:
        _limit_host(headroom_bytes)


def _limit_host(headroom_bytes: int) -> None:
    if not sys.platform.startswith("linux"):
        raise DiagnosticsError("laboratory.no_limit")
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_private_bytes() + headroom_bytes, hard))


def _private_bytes() -> int:
    """Return what the kernel compares with the limit."""
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    raise DiagnosticsError("laboratory.no_limit")


def _limit_cuda(device: str, headroom_bytes: int) -> None:
    import torch

    # free memory inside the cache would be headroom too
    torch.cuda.empty_cache()
    index = torch.device(device).index or 0
    total = torch.cuda.get_device_properties(index).total_memory
    allowed = torch.cuda.memory_reserved(index) + headroom_bytes
    torch.cuda.set_per_process_memory_fraction(min(1.0, allowed / total), index)
